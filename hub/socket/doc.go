// Package socket is the TCP side of a viewer's WebSocket connection. The WebSocket
// library accepts, reads, and sends control frames through it; frames of data go past
// the library, encoded once for all who get them.
//
// # Two ways to write
//
// [Conn.TryFrame] is for broadcasts: it writes a whole frame without waiting, or
// declines. One goroutine can serve all viewers of a room so, since none of them can
// hold it up. It is there on Linux (amd64 and arm64), for plain TCP. [Conn.WriteFrame]
// waits for the viewer, and works on every system and over TLS.
//
// # Rules
//
//   - Frames leave whole and in order: a frame that the system took only a part of is
//     finished before anything else is written. Control frames come between frames.
//   - The library's writes never wait and never fail on a living connection: its reader
//     writes pongs, and would close the connection over a slow one. What cannot be
//     written at once waits here, one frame of each kind; of two pongs the newer one
//     stays (RFC 6455, section 5.5.3).
//   - The library writes control frames only, each with one Write. Anything else ends
//     the connection, so that a data frame of the library can tear no stream.
//   - After a close frame nothing more is written (RFC 6455, section 5.5.1).
//   - Close waits for at most two seconds, Kill for nothing.
package socket

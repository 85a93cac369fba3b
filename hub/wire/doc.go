// Package wire is the language of the viewer WebSocket: what viewers may send,
// what they hear, and the codes that both sides switch on. It knows bytes and
// nothing else: no connection, no room, no clock.
//
// # Frames
//
// A client frame is one JSON object with a type; [Decode] is strict about it:
// members that it does not know, doubled members, other spellings of a name, null
// and trailing bytes are refused. A server frame is always a JSON array of events,
// so that everything that waits for a slow viewer leaves as one frame. An event is
// encoded once ([Event.Append]) and its bytes are shared by all who hear it;
// [AppendFrame] joins such bytes without looking into them.
//
// # Compatibility
//
// Clients ignore event types and members that they do not know, so both may be
// added. Names that exist do not change: testdata holds one golden file for each
// event and frame.
package wire

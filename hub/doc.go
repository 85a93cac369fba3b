// Package hub is a node of giftwire that can be embedded: viewers over WebSocket, the
// platform's HTTP API, and the rooms behind them.
//
// # Use
//
// Open a journal, make a [Hub] with [New], run it with [Hub.Run], and mount
// [Hub.Handler] wherever the server has a place for it. [Hub.AdminHandler] is for a
// listener that only operators reach. When Run's context ends the hub drains; close
// the journal after Run has returned.
//
// # Guarantees
//
//   - A gift is answered accepted, over WebSocket or HTTP, only after the journal has
//     stored it (P1), and gets exactly one result (P2).
//   - An id that is submitted again with the same content is the same gift (P4).
//   - What is accepted is never shed: overload is refused before (P11).
//   - When Run returns, everything that it started has ended, within Limits.Drain of
//     its context's end; what was open then is in the journal.
//   - Where the journal is on a NATS cluster, any number of hubs share its rooms: a room is
//     flushed by one of them (P7), viewers may be on any, and what one of them goes with
//     the others go on with.
//   - Two hubs in one process do not meet: there is no global registry, logger, client
//     or mux. (The NATS server that an embedded journal runs registers net/http/pprof
//     in http.DefaultServeMux. Do not serve that mux to strangers.)
//
// Not promised: that comments and likes arrive, and any order across viewers.
//
// # Layers
//
// A noun that stands alone has a package of its own: hub/wire the frames, hub/auth the
// tokens and keys, hub/intake the way in, hub/audience who watches, hub/journal the
// streams, hub/owner the rooms, hub/spec the documents. What nodes have to do with each
// other: hub/cluster says who lives and which rooms there are, hub/holding which
// partitions a node owns, hub/relay brings rooms' news to the nodes with viewers, hub/ask
// puts questions to owners. On an embedded journal a node is alone, and the same parts
// have nobody to talk to. This package joins them and speaks HTTP. Echo, coder/websocket and
// Prometheus are each known to one file: echo.go, ws.go, metrics.go.
package hub

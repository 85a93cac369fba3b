// Package room is the domain of giftwire: gifts, the catalogue that prices
// them, and the actor that collects one room's gifts and sends them to ZEGO in
// merged calls.
//
// # Layers
//
// [Core] is a pure state machine: (state, event, time) in, effects out. It has
// no goroutine, channel, clock, logger or randomness of its own, so a seeded
// simulator can drive it through every fault and a failing run replays
// identically. [Actor] is the goroutine around it, the only place that waits.
// Nothing in this package knows of sockets, NATS or JSON.
//
// # What is promised
//
//   - Every gift given to an actor gets exactly one [Decision], unless the actor
//     is stopped first; then the journal still has the gift and the next actor
//     decides it.
//   - A gift is delivered only if an answer's row said so; it is failed only if
//     ZEGO said so, or surely does not have it.
//   - First attempts of one viewer's gifts are made in the order given, and not
//     before the comment by which the viewer joins is through, or late.
//   - A gift is sent under one [MsgID] for its whole life, and never once it is
//     23 hours old.
//   - No more than 20 calls of an action arrive at ZEGO in any sliding second
//     (see [Limits]).
//
// Not promised: any order across viewers, and delivery of comments that do not
// join the game, or of likes.
//
// # Life of a gift
//
// The way of a gift through the core, and where to read on:
//
//	accepted ─► its turn ─► its lane ─► a call ─► decided
//	            turn.go      lane.go    send.go   settle.go
//	                            ▲          │
//	                            ├──────────┤ not taken, or unknown: sent again
//	                            │          │ after a backoff (retry.go), or in
//	                            │          │ parts (bisect.go)
//	                            │          ▼
//	                            └──────── fate.go ─► query.go ─► decided
//	                                     the table   too old, or no result
//
// fate.go alone says what an answer means; budget.go alone says when a call may
// start; every open gift has one alarm clock (open.go, settle.go), so a room with
// 20,000 open gifts takes a step in microseconds. step.go is the table of contents.
package room

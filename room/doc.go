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
//   - First attempts of one viewer's gifts are made in the order given.
//   - A gift is sent under one [MsgID] for its whole life.
//   - No more than 20 calls of an action arrive at ZEGO in any sliding second
//     (see [Limits]).
//
// Not promised: any order across viewers, and delivery of comments that do not
// join the game, or of likes.
package room

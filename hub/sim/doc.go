// Package sim runs giftwire's way of a gift in one thread, under one seed that draws
// load and faults: viewers, nodes, the journal's server and ZEGO. After the faults
// everything heals, and every promise has to hold. It is for tests.
//
// # What is real
//
//   - room.Core, through the real owner: when which gifts are sent, and what becomes of
//     each.
//   - owner: takeover, replay, reading on, opening, appending decisions, snapshots,
//     memory of ids, making room, release, look-ups, driven piece by piece
//     (owner.Stepped). Only the goroutines around them are replaced.
//   - intake: every gift, repeat and joining comment passes the real one.
//   - The records: GIFTS, OUTCOMES and ids are stored in the journal's own encodings and
//     read back from them.
//
// # What is modelled
//
//   - JetStream (server.go): four files with an fsync before the answer, expected
//     sequences, message ids; requests and answers that are lost or late; a crash loses
//     what was not synced, or a part of it.
//   - The journal's client side (log.go, publisher.go): repeating until an answer comes,
//     and looking who wrote. Its own code is bound to NATS, and has tests of its own.
//   - The goroutine around a room (performer.go), which has tests of its own, too.
//   - Liveness, leases and placement (process.go, world.go), by DESIGN.md's rules.
//   - ZEGO (zego.go), by ZEGO.md: it also keeps the truth that the judge compares with.
//   - Viewers (viewer.go): they repeat what is not answered, on any node.
//
// Not here: the wallet, the audience, real sockets, disks and clocks. A gift's fate does
// not depend on the first two; `make chaos` has the others.
//
// # How it is one thread
//
// A run happens in a synctest bubble, so that the code under test reads the bubble's
// clock. Whatever waits is a coroutine (iter.Pull) that gives the thread back at each
// request to the server; the agenda in loop.go decides who goes on. So the same seed
// brings the same events in the same order, and a failure is replayed by its seed.
package sim

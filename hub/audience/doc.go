// Package audience is who watches a room: the viewers' outboxes, what is told to
// all of them, and what a viewer who was away for a moment gets to hear. It knows
// no network: a viewer's connection is a [Conn].
//
// # Guarantees
//
//   - A member hears the gifts events of its room in the order of their seq, none
//     twice; what it does not hear is announced by a lagged event (P9).
//   - On one connection accepted comes before the result of the same gift.
//   - An event is encoded once, whoever hears it.
//   - Telling never blocks: a member that does not read fills only its own outbox,
//     which is bounded; presence, likes and comments are dropped first, then gifts
//     events become one lagged event, results are kept (P10).
//   - A member costs no goroutine while nothing waits for it.
package audience

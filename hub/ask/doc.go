// Package ask is questions about rooms, put to the node that owns the room's partition:
// here, or on another node by a NATS request on gw.ask.PARTITION. A [Desk] answers for
// the partitions that this node owns, an [Asker] asks.
//
// # Guarantees
//
//   - What a question is answered was true at a moment between asking and answering: an
//     answer leaves only if the partition is still ready and the node's lease still holds
//     after the state was read, so that a deposed owner, however long it was stopped, has
//     nothing to say.
//   - Whoever was told that an entry is stored sees it: a question names the GIFTS
//     sequence that its node knows of, and the owner reads so far before it answers.
//   - Where the owner is on the same node nothing goes through NATS, and there are no
//     goroutines.
//   - No answer is [owner.ErrNotReady], whatever the reason, and never a wrong answer.
//
// Not promised: an answer while a partition moves. An Asker asks again until its
// caller's context ends, so that a takeover shows as a slow answer where the context
// allows it.
//
// # Messages
//
// Questions and answers are JSON with the names of Go's fields, so that a field that a
// type of owner or room gets is carried without anyone's thinking of it (a test fills
// every field and compares), a node of another release ignores what it does not know,
// and an operator reads them with the nats command. It costs some microseconds a
// message, where the request itself takes hundreds. A change of meaning raises the
// version; a message of another version is not acted upon, but counted, and answered
// so. Enumerations travel as numbers: the golden files notice it when they change.
package ask

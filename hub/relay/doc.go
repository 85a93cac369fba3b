// Package relay brings what a room's owner has to tell to the nodes that have viewers
// of the room, and to no other: news, the game's state, comments, likes, and how many
// viewers a room has on all nodes together.
//
// The owner's side is [Teller], the viewers' side [Follower], and on every node there
// are both, with [Chat] and [Crowd] beside them: see [Relay].
//
// # Guarantees
//
//   - The audience of a followed room hears every record of the room once, in the order
//     of the log, from the record on that was the newest when following began, on
//     whatever node the owner is and however often it changes.
//   - What core NATS lost, doubled or turned round is put right from OUTCOMES: a gap in
//     the records' chain is noticed by the next message, by the next beat, or by the gap
//     that a lost beat leaves in the beats' numbers. What has aged out of OUTCOMES, and
//     what is further back than one repair reads, is skipped: the next news' Seq jumps
//     by more than one, and viewers hear that they lag.
//   - A node that is alone publishes nothing and encodes nothing.
//   - Nothing here blocks an owner.
//
// Not promised: a repeated result, comments and likes reach other nodes at most once;
// counts of viewers are some seconds old.
//
// # Messages
//
// A message is a line of version, kind, node, instance and number, then JSON: operators
// can read it with the nats command, nodes of two releases can share the subjects while
// an upgrade runs (unknown members are ignored, unknown versions and kinds counted and
// ignored), and a node knows its own messages by the first line, without decoding them.
// Encoding or decoding 50 gifts takes 0.4 ms; a room is told of as many at most 18 times
// a second, and a cluster of some 1,000 gifts a second, for which a binary form would
// save less than a hundredth of a core a node.
//
//	gw.room.<room>  news, repeated, game   by the room's owner
//	gw.chat.<room>  chat                   by each node, merged for 100 ms
//	gw.beat         beat, heads, counts    by each node, every second
//
// # What a beat costs
//
// Each second a node tells the heads of the rooms that changed (100,000 at most, the
// rest waits for the next beat), the counts of viewers that changed (40,000 at most),
// and a tenth of all its counts, so that whatever was lost is put right within 10 s. At
// 100,000 rooms with viewers on one node these are 10,000 counts of about 30 bytes, 0.3
// MB a second; every other node does 10,000 map look-ups, about 2 ms. A room's count is
// one number: 10^5 viewers of one room cost what one viewer costs. Nothing scans all rooms, but
// for two rare events: a node that goes is subtracted at once, and a lost beat makes a
// node ask again for the state of the rooms that it follows, 8 at a time.
package relay

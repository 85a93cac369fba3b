// Package load drives a hub with viewers and gifts, measures what they feel, and checks
// that the hub told each of them the truth. It is what `giftwire load` runs.
//
// # Open model
//
// Gifts are due at times that are drawn before the run: the hub's answers change nothing
// of them. A gift that is due while the hub, the network or this process is busy waits,
// and its latency counts from when it was due. A slow hub can therefore not hide behind
// a generator that politely waits for it (coordinated omission).
//
// # What is measured
//
// All times are of this machine's clock, anchored once a process; no two machines' clocks
// are compared.
//
//	accept    a gift was due until its giver heard accepted
//	result    a gift was due until its giver heard result
//	seen      a gift was due until a viewer heard the gifts event that shows it; of each
//	          event that a viewer hears, one of its gifts counts
//	fan-out   the first viewer (of the same process, which has an even share of every
//	          room) heard a gifts event until another viewer heard it
//	connect   a connection was begun until its welcome
//	back      a viewer was dropped in a storm until its next welcome
//	late      a gift was due until this process wrote it, for givers that were connected:
//	          the generator's own fault, part of all of the first three
//
// Every process can tell when a gift was due that another one gave, because a gift's
// receiver_id says so: a text such as 2n9c4W3W1a, which the hub passes on to all viewers.
// Events that a viewer catches up with after a reconnect are not in seen and fan-out, nor
// is anything that slow readers hear.
//
// # What is checked
//
// Each worker keeps a book of its gifts and follows each viewer's chain of sequences over
// all its connections. When the load is over, everybody comes back, slow readers read
// on, and when nothing is open any more the books are compared with the hub's ledger and
// counters, read through the platform API. [Kind] lists what can be wrong.
package load

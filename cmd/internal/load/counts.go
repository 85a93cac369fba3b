package load

// Count is one of the things that are counted.
type Count int

// The counts, in the order of reports.
const (
	Due        Count = iota // gifts that the schedule wanted
	Unsent                  // of them: their giver's queue was full
	Sent                    // written, repeats not counted
	Repeats                 // written again under the same id
	Accepted                // gifts that were accepted
	Rejected                // gifts that were finally rejected
	Delivered               // gifts by their result
	Failed                  //
	Unresolved              //
	Frames                  // server frames heard
	Bytes                   // of them
	Deliveries              // gifts events heard
	CaughtUp                // of them: after a reconnect
	Lags                    // lagged events heard
	Lagged                  // sequences that they named
	Dials                   // connections begun
	Welcomes                // connections that were welcomed
	Resumed                 // of them: where the viewer was before
	Refused                 // dials that did not become a connection
	Lost                    // connections that ended without our doing
	Left                    // viewers that left politely
	Dropped                 // connections that a storm dropped
	Chat                    // comments and likes sent
	counted                 // how many there are
)

// counts are one number for each.
type counts [counted]int64

func (c *counts) add(others *counts) {
	for i, n := range others {
		c[i] += n
	}
}

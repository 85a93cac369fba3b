package load

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"time"
)

// Plan is what a worker has to do. Workers that are processes of their own read it from
// their standard input, secrets included: arguments can be seen by everybody.
type Plan struct {
	Config Config
	// Run is in the ids of all users and gifts.
	Run string
	// Rooms are the names of the rooms; viewers are spread over them evenly.
	Rooms []string
	// Worker is which one this is, of Config.Processes.
	Worker int
	// Origin is the wall's time from which all times of the run count, in Unix ns.
	Origin int64
}

// order is what a run tells its workers after the plan.
type order struct {
	Start  *startOrder
	Calm   bool // the load ends now
	Finish *finishOrder
}

// startOrder begins the load at a time since the origin.
type startOrder struct{ At time.Duration }

// finishOrder ends the work: Heads are the newest sequence of each room.
type finishOrder struct{ Heads map[string]uint64 }

// report is what a worker tells its run.
type report struct {
	Second *second
	Rows   []Row
	Done   *done
	Failed string
}

// second is what a worker counted and measured since it last told.
type second struct {
	Worker  int
	At      time.Duration // since the origin
	Counts  counts
	Packed  packed
	Reasons map[string]int64
	Standing
	// Last: everybody has left; it is of no whole second.
	Last bool
	// CPU is what the process has used so far, Memory what it holds in bytes.
	CPU    time.Duration
	Memory int64
}

// Standing is where the viewers of a worker, or of a run, are.
type Standing struct {
	Viewers   int // in all
	Ready     int // of them: were welcomed once
	Connected int
	Undecided int // gifts that are to be sent, or were and may still hear something
	Calm      bool
	Rooms     map[string]span
}

// span is how far a room's viewers are: the one that heard least and the one that heard
// most, of those that are connected.
type span struct{ Low, High uint64 }

// done is a worker's last word.
type done struct{ Found Mismatches }

// rowsMax is how many gifts go into one message: 1,000 x 200 bytes = 200 KB.
const rowsMax = 1000

// Child is a worker in a process of its own: it reads its plan and orders from in, and
// tells its run on out. It returns when it was told to finish or when in ends, which is
// how it notices that its parent has died.
func Child(in io.Reader, out io.Writer) error {
	orders := gob.NewDecoder(in)
	var plan Plan
	if err := orders.Decode(&plan); err != nil {
		return fmt.Errorf("load: no plan: %w", err)
	}
	told := make(chan order, ordersMax)
	read := make(chan struct{})
	over := make(chan struct{})
	go func() { // ends with the input; where the work ends first, the process does
		defer close(read)
		defer close(told)
		for {
			var o order
			if err := orders.Decode(&o); err != nil {
				return
			}
			select {
			case told <- o:
			case <-over:
				return
			}
		}
	}()
	reports := gob.NewEncoder(out)
	err := work(&plan, told, func(r *report) error { return reports.Encode(r) })
	close(over)
	if errors.Is(err, errGone) {
		return nil // nobody is left to tell
	}
	if err != nil {
		err = errors.Join(err, reports.Encode(&report{Failed: err.Error()}))
	}
	return err
}

// ordersMax is how many orders a worker is ever given.
const ordersMax = 4

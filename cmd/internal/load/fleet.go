package load

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// fleet is a run's workers.
type fleet struct {
	reports chan *report
	quit    chan struct{} // closed when nobody reads reports any more
	orders  []chan order
	all     sync.WaitGroup
}

// reportsMax is how many reports wait while the run handles one. Workers wait then, and
// their viewers do not.
const reportsMax = 64

func newFleet() *fleet {
	return &fleet{reports: make(chan *report, reportsMax), quit: make(chan struct{})}
}

// errGone ends a worker whose run does not listen any more.
var errGone = errors.New("load: the run is over")

func (f *fleet) tell(r *report) error {
	select {
	case f.reports <- r:
		return nil
	case <-f.quit:
		return errGone
	}
}

// inside starts a worker in this process.
func (f *fleet) inside(p *Plan) {
	orders := make(chan order, ordersMax)
	f.orders = append(f.orders, orders)
	f.all.Go(func() {
		if err := work(p, orders, f.tell); err != nil && !errors.Is(err, errGone) {
			_ = f.tell(&report{Failed: err.Error()}) // else nobody wants to know
		}
	})
}

// outside starts a worker in a process of its own.
func (f *fleet) outside(p *Plan, command []string, stderr io.Writer) error {
	cmd := exec.Command(command[0], command[1:]...) //nolint:gosec,noctx // our own command; it ends with its input
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("load: a worker could not be started: %w", err)
	}
	orders := make(chan order, ordersMax)
	f.orders = append(f.orders, orders)
	f.all.Go(func() { // ends with the orders, or with the process, whose input is closed by Wait
		enc := gob.NewEncoder(in)
		err := enc.Encode(p)
		for o := range orders {
			if err == nil {
				err = enc.Encode(o)
			}
		}
		_ = in.Close() // the end of its orders; if it has ended itself, its reader tells
	})
	f.all.Go(func() {
		ended := f.read(out)
		kill := time.AfterFunc(endTime, func() { _ = cmd.Process.Kill() }) // it may have ended
		defer kill.Stop()
		if err := cmd.Wait(); err != nil && ended == nil {
			_ = f.tell(&report{Failed: "a worker's process ended: " + err.Error()}) // else nobody wants to know
		}
	})
	return nil
}

// endTime is how long a worker's process may take to end by itself.
const endTime = 10 * time.Second

// read passes a process's reports on until it has no more; an error says that nobody
// wants them, or that the last one told of a failure.
func (f *fleet) read(out io.Reader) error {
	dec := gob.NewDecoder(out)
	for {
		r := new(report)
		if err := dec.Decode(r); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return f.tell(&report{Failed: fmt.Sprintf("a worker cannot be understood: %v", err)})
		}
		if err := f.tell(r); err != nil {
			return err
		}
		if r.Failed != "" {
			return errGone
		}
	}
}

// order tells all workers.
func (f *fleet) order(o order) {
	for _, orders := range f.orders {
		orders <- o // ordersMax of them fit
	}
}

// end waits until all workers have ended.
func (f *fleet) end() {
	close(f.quit)
	for _, orders := range f.orders {
		close(orders)
	}
	f.all.Wait()
}

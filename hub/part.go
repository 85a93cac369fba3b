package hub

import (
	"context"
	"errors"
	"fmt"
)

// part is something that the hub runs: begun by begin, ended by end. Parts are ended
// one after the other, in the order in which they need each other.
type part struct {
	stop context.CancelFunc
	done chan struct{} // closed when run has returned
	err  error         // set before done is closed
}

// errEnded is the failure of a part that ended although nobody asked it to.
var errEnded = errors.New("ended by itself")

// begin runs a part until end is called. base must not end by itself: a part that
// others need must outlive them. If the part ends on its own, failed hears why.
func begin(base context.Context, name string, run func(context.Context) error, failed func(error)) *part {
	ctx, stop := context.WithCancel(base)
	p := &part{stop: stop, done: make(chan struct{})}
	go func() { // joined by end
		defer close(p.done)
		err := run(ctx)
		asked := ctx.Err() != nil
		switch {
		case asked && errors.Is(err, context.Canceled): // what many parts return then
		case err != nil:
			p.err = fmt.Errorf("hub: %s: %w", name, err)
		case !asked:
			p.err = fmt.Errorf("hub: %s: %w", name, errEnded)
		}
		if !asked {
			failed(p.err)
		}
	}()
	return p
}

// end stops the part, waits until it has ended, and returns what it failed with.
func (p *part) end() error {
	p.stop()
	<-p.done
	return p.err
}

// ended reports whether the part has ended already.
func (p *part) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// peer is a server under measurement. ServeHTTP takes a viewer in, whose room is the
// query's room.
type peer interface {
	http.Handler
	// tell sends one message to everyone in the room.
	tell(room string, message []byte)
}

// newPeer makes a peer by its name. giftwire is none of them: it is a process of its
// own.
func newPeer(name string) (peer, error) {
	switch name {
	case "centrifuge":
		return newCentrifuge()
	case "melody":
		return newMelody(), nil
	case "gws":
		return newGWS(), nil
	case "tcp":
		return newTCP(), nil
	default:
		return nil, fmt.Errorf("no peer %q", name)
	}
}

// serve is the server's process: it prints where it listens, and then does what the
// lines of in say, until they end:
//
//	tell N        every room is told of N messages
//	one R N       room R alone is
//	beat F R N U  N times, one of the R rooms from F on is told in turn, every U microseconds;
//	              then a line is printed
//	rest          give memory back, and print the number of goroutines
func serve(name string, rooms int, in io.Reader, out io.Writer) error {
	p, err := newPeer(name)
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }() // joined below
	fmt.Fprintln(out, l.Addr())
	t := teller{peer: p, rooms: rooms}
	if err := errors.Join(t.obey(in, out), srv.Close()); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// teller tells a peer's rooms.
type teller struct {
	peer  peer
	rooms int
	seq   uint64
	beat  beat
}

// beat tells rooms from within the server, as a server does that hears of gifts itself:
// its clock is no other process.
type beat struct {
	first, rooms, times int
	tick                *time.Ticker
}

// due is when the next beat is; nil: there is none.
func (b *beat) due() <-chan time.Time {
	if b.tick == nil {
		return nil
	}
	return b.tick.C
}

func (t *teller) obey(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	said := make(chan string)
	go func() { // ends with the lines, all of which are taken below
		defer close(said)
		for lines.Scan() {
			said <- lines.Text()
		}
	}()
	for {
		select {
		case line, ok := <-said:
			if !ok {
				return lines.Err()
			}
			if err := t.do(line, out); err != nil {
				return err
			}
		case <-t.beat.due():
			t.next(out)
		}
	}
}

func (t *teller) do(line string, out io.Writer) (err error) {
	var n, r, every int
	switch verb, args, _ := strings.Cut(line, " "); verb {
	case "tell":
		if _, err = fmt.Sscan(args, &n); err == nil {
			t.tell(0, t.rooms, n)
		}
	case "one":
		if _, err = fmt.Sscan(args, &r, &n); err == nil {
			t.tell(r, r+1, n)
		}
	case "beat":
		b := &t.beat
		if _, err = fmt.Sscan(args, &b.first, &b.rooms, &b.times, &every); err == nil {
			b.tick = time.NewTicker(time.Duration(every) * time.Microsecond)
		}
	case "rest":
		runtime.GC()
		debug.FreeOSMemory()
		fmt.Fprintln(out, runtime.NumGoroutine())
	default:
		err = errors.New("not understood")
	}
	if err != nil {
		return fmt.Errorf("%q: %w", line, err)
	}
	return nil
}

// next is one beat.
func (t *teller) next(out io.Writer) {
	b := &t.beat
	b.times--
	t.tell(b.first+b.times%b.rooms, b.first+b.times%b.rooms+1, 1)
	if b.times == 0 {
		b.tick.Stop()
		b.tick = nil
		fmt.Fprintln(out, "beaten")
	}
}

// tell tells the rooms from first until before last, n times.
func (t *teller) tell(first, last, n int) {
	for range n {
		t.seq++
		for r := first; r < last; r++ {
			t.peer.tell(roomName(r), message(t.seq))
		}
	}
}

// roomName names the n-th room.
func roomName(n int) string { return fmt.Sprintf("r%d", n) }

func atoi(s string) int {
	n := 0
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n
}

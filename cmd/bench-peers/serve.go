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
//	tell N   every room is told of N messages
//	one R N  room R alone is
//	rest     give memory back, and print the number of goroutines
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
	seq := uint64(0)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		verb, arg, _ := strings.Cut(lines.Text(), " ")
		if verb == "rest" {
			runtime.GC()
			debug.FreeOSMemory()
			fmt.Fprintln(out, runtime.NumGoroutine())
			continue
		}
		first, last := 0, rooms
		if verb == "one" {
			var room string
			room, arg, _ = strings.Cut(arg, " ")
			first, last = atoi(room), atoi(room)+1
		}
		for range atoi(arg) {
			seq++
			for r := first; r < last; r++ {
				p.tell(roomName(r), message(seq))
			}
		}
	}
	if err := errors.Join(lines.Err(), srv.Close()); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
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

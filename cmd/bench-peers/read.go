package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// readers are the viewers' process: one thread that reads whatever has come, counts
// it, and does nothing else with it.
type readers struct {
	peer  string
	to    *unix.SockaddrInet4
	addr  string
	epoll int

	mu    sync.Mutex // guards all below
	conns map[int32]*frames
	ended int
	seen  *deliveries
}

// read is the readers' process: it does what the lines of in say, until they end:
//
//	open N FIRST ROOMS STALLED
//	                      connect N more viewers, spread over so many rooms from the
//	                      first on; STALLED of them never read; then print a line
//	mark                  print how many messages have come since the last mark, in how
//	                      many frames, the median and 99th percentile of their times in
//	                      microseconds, and how many connections have ended
func read(peer, addr string, in io.Reader, out io.Writer) error {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return err
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	r := &readers{
		peer: peer, addr: addr, to: &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()},
		epoll: epoll, conns: make(map[int32]*frames), seen: new(deliveries),
	}
	go r.loop() // ends with the process
	lines := bufio.NewScanner(in)
	for next := 0; lines.Scan(); {
		var n, from, rooms, stalled int
		if _, err := fmt.Sscanf(lines.Text(), "open %d %d %d %d", &n, &from, &rooms, &stalled); err == nil {
			in := func(i int) string { return roomName(from + i%rooms) }
			if err := r.open(next, n, stalled, in); err != nil {
				return err
			}
			next += n
			fmt.Fprintln(out, "open")
			continue
		}
		r.mu.Lock()
		seen := r.seen
		r.seen = new(deliveries)
		fmt.Fprintln(out, seen.n, seen.frames, seen.hist.quantile(0.5).Microseconds(), seen.hist.quantile(0.99).Microseconds(), r.ended)
		r.mu.Unlock()
	}
	return lines.Err()
}

// openers is how many connections are opened at a time.
const openers = 8

func (r *readers) open(first, n, stalled int, room func(int) string) error {
	var all sync.WaitGroup
	errs := make([]error, openers)
	for o := range openers {
		all.Go(func() {
			for i := o; i < n && errs[o] == nil; i += openers {
				errs[o] = r.connect(first+i, room(i), i < stalled)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// request is what the viewer says first.
func (r *readers) request(user int, room string) string {
	path, auth := "/?room="+room, ""
	if r.peer == "giftwire" {
		path, auth = "/v1/rooms/"+room+"/ws", fmt.Sprintf("Authorization: Bearer u%d\r\n", user)
	}
	return "GET " + path + " HTTP/1.1\r\nHost: " + r.addr + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + auth + "\r\n"
}

// hello is what the viewer says when it is connected.
func (r *readers) hello() []byte {
	if r.peer != "centrifuge" {
		return nil
	}
	connect := `{"id":1,"connect":{}}`
	return append([]byte{0x81, 0x80 | byte(len(connect)), 0, 0, 0, 0}, connect...) // masked with zeros
}

// connect opens one connection and reads the answer to its upgrade.
func (r *readers) connect(user int, room string, stalled bool) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if stalled {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096); err != nil {
			return err
		}
	}
	if err := unix.Connect(fd, r.to); err != nil {
		return err
	}
	if _, err := unix.Write(fd, []byte(r.request(user, room))); err != nil {
		return err
	}
	var answer []byte
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(fd, buf)
		if err != nil || n == 0 {
			return fmt.Errorf("viewer %d: the upgrade was not answered: %q %w", user, answer, err)
		}
		answer = append(answer, buf[:n]...)
		head, rest, whole := bytes.Cut(answer, []byte("\r\n\r\n"))
		if !whole {
			continue
		}
		if !strings.HasPrefix(string(head), "HTTP/1.1 101") {
			return fmt.Errorf("viewer %d: %q", user, answer)
		}
		if _, err := unix.Write(fd, r.hello()); err != nil {
			return err
		}
		if stalled {
			return nil
		}
		return r.listen(fd, rest)
	}
}

// listen lets the loop read the connection, of which rest was read.
func (r *readers) listen(fd int, rest []byte) error {
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f := new(frames)
	f.feed(rest, r.seen)
	r.conns[int32(fd)] = f                                                                                       //nolint:gosec // descriptors are small
	return unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}) //nolint:gosec // as above
}

// loop reads for ever.
func (r *readers) loop() {
	events := make([]unix.EpollEvent, 256)
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.EpollWait(r.epoll, events, 1000)
		if err != nil && !errors.Is(err, unix.EINTR) {
			panic(err)
		}
		r.mu.Lock()
		for _, e := range events[:max(0, n)] {
			got, err := unix.Read(int(e.Fd), buf)
			if got > 0 {
				f := r.conns[e.Fd]
				f.feed(buf[:got], r.seen)
				if f.pinged { // who never answers is given up after a minute
					f.pinged = false
					_, _ = unix.Write(int(e.Fd), []byte{0x8a, 0x80, 0, 0, 0, 0}) // it has gone, or shows it next time
				}
				continue
			}
			if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
				continue
			}
			r.ended++
			_ = unix.Close(int(e.Fd)) // the server has ended it
		}
		r.mu.Unlock()
	}
}

package zego_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// dialling returns a transport like the client's own that dials so.
func dialling(t *testing.T, dial func(ctx context.Context) (net.Conn, error)) *http.Transport {
	t.Helper()
	tr := zego.NewTransport()
	tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func outcomeOf(t *testing.T, err error) room.Outcome {
	t.Helper()
	var e *zego.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *zego.Error", err)
	}
	if e.Class != room.ClassNone || e.Code != 0 {
		t.Errorf("%v has class %v", err, e.Class)
	}
	return e.Outcome
}

func TestNeverSentIsNotTaken(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		d := newDoor(t, says(okEmpty))
		base := d.URL
		d.Close()
		_, err := newClient(t, base).SendDanmakuGifts(t.Context(), testGifts())
		if got := outcomeOf(t, err); got != room.NotTaken {
			t.Errorf("%v: %v", got, err)
		}
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "dial" {
			t.Errorf("the cause is lost: %v", err)
		}
	})
	t.Run("no such host", func(t *testing.T) {
		tr := dialling(t, func(context.Context) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}}
		})
		c := newClient(t, "http://x.example", func(cfg *zego.Config) { cfg.Transport = tr })
		_, err := c.SendDanmakuGifts(t.Context(), testGifts())
		if got := outcomeOf(t, err); got != room.NotTaken {
			t.Errorf("%v: %v", got, err)
		}
	})
	t.Run("no TLS", func(t *testing.T) {
		d := newDoor(t, says(okEmpty))
		c := newClient(t, strings.Replace(d.URL, "http://", "https://", 1))
		_, err := c.SendDanmakuGifts(t.Context(), testGifts())
		if got := outcomeOf(t, err); got != room.NotTaken {
			t.Errorf("%v: %v", got, err)
		}
		if len(d.seen()) != 0 {
			t.Error("a call arrived")
		}
	})
	t.Run("unknown certificate", func(t *testing.T) {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		s.StartTLS()
		defer s.Close()
		_, err := newClient(t, s.URL).SendDanmakuGifts(t.Context(), testGifts())
		if got := outcomeOf(t, err); got != room.NotTaken {
			t.Errorf("%v: %v", got, err)
		}
	})
	t.Run("context ended before", func(t *testing.T) {
		d := newDoor(t, says(okEmpty))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := newClient(t, d.URL).SendDanmakuGifts(ctx, testGifts())
		if got := outcomeOf(t, err); got != room.NotTaken || !errors.Is(err, context.Canceled) {
			t.Errorf("%v: %v", got, err)
		}
		if len(d.seen()) != 0 {
			t.Error("a call arrived")
		}
	})
	t.Run("context ended while dialling", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		// Go dials on when the call has ended: another may use the connection.
		release, dialled := make(chan struct{}), make(chan struct{})
		tr := dialling(t, func(context.Context) (net.Conn, error) {
			defer close(dialled)
			cancel()
			<-release
			return nil, errors.New("too late")
		})
		c := newClient(t, "http://x.example", func(cfg *zego.Config) { cfg.Transport = tr })
		_, err := c.SendDanmakuGifts(ctx, testGifts())
		if got := outcomeOf(t, err); got != room.NotTaken || !errors.Is(err, context.Canceled) {
			t.Errorf("%v: %v", got, err)
		}
		close(release)
		<-dialled
	})
}

// TestMaybeSentIsUnknown: once there is a connection, nobody can tell.
func TestMaybeSentIsUnknown(t *testing.T) {
	t.Run("dropped after reading", func(t *testing.T) {
		d := newDoor(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		_, err := newClient(t, d.URL).SendDanmakuGifts(t.Context(), testGifts())
		if got := outcomeOf(t, err); got != room.Unknown {
			t.Errorf("%v: %v", got, err)
		}
	})
	t.Run("closed at once", func(t *testing.T) {
		tr := dialling(t, func(context.Context) (net.Conn, error) {
			client, server := net.Pipe()
			return client, server.Close()
		})
		c := newClient(t, "http://x.example", func(cfg *zego.Config) { cfg.Transport = tr })
		_, err := c.SendDanmakuGifts(t.Context(), testGifts())
		if got := outcomeOf(t, err); got != room.Unknown {
			t.Errorf("%v: %v", got, err)
		}
	})
	t.Run("answer breaks off", func(t *testing.T) {
		d := newDoor(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"Code":7206001`)
		})
		_, err := newClient(t, d.URL).SendDanmakuGifts(t.Context(), testGifts())
		if got := outcomeOf(t, err); got != room.Unknown {
			t.Errorf("%v: %v", got, err)
		}
	})
	t.Run("transport that reports nothing", func(t *testing.T) {
		c := newClient(t, "http://x.example", func(cfg *zego.Config) {
			cfg.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}
			})
		})
		_, err := c.SendDanmakuGifts(t.Context(), testGifts())
		if got := outcomeOf(t, err); got != room.Unknown {
			t.Errorf("%v: %v", got, err)
		}
		if strings.Contains(err.Error(), "Signature") {
			t.Errorf("%q holds the URL", err)
		}
	})
	t.Run("transport that repeats", func(t *testing.T) {
		// The first try has a connection and fails; the second is refused. The last error
		// alone would say that nothing was sent.
		var tries atomic.Int32
		inner := dialling(t, func(context.Context) (net.Conn, error) {
			if tries.Add(1) > 1 {
				return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
			}
			client, server := net.Pipe()
			go func() { // ends when the pipe is closed
				_, _ = bufio.NewReader(server).ReadString('\n')
				_ = server.Close()
			}()
			return client, nil
		})
		c := newClient(t, "http://x.example", func(cfg *zego.Config) {
			cfg.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				if resp, err := inner.RoundTrip(r); err == nil {
					return resp, nil
				}
				return inner.RoundTrip(r)
			})
		})
		_, err := c.SendDanmakuGifts(t.Context(), testGifts())
		if got := outcomeOf(t, err); got != room.Unknown || tries.Load() != 2 {
			t.Errorf("%v after %d tries: %v", got, tries.Load(), err)
		}
	})
}

// TestNoCallIsRepeated: a server that closes a kept connection after it has read
// the second call. Go's transport repeats a GET then; a gift must not be.
func TestNoCallIsRepeated(t *testing.T) {
	var arrived atomic.Int32
	d := newDoor(t, says(okEmpty))
	d.answer = func(w http.ResponseWriter, r *http.Request) {
		if arrived.Add(1) == 1 {
			says(okEmpty)(w, r)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			err = conn.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}
	c := newClient(t, d.URL)
	if _, err := c.SendDanmakuGifts(t.Context(), testGifts()); err != nil {
		t.Fatal(err)
	}
	_, err := c.SendDanmakuGifts(t.Context(), testGifts())
	if got := outcomeOf(t, err); got != room.Unknown {
		t.Errorf("%v: %v", got, err)
	}
	if arrived.Load() != 2 {
		t.Errorf("%d calls arrived, want 2", arrived.Load())
	}
}

func TestConnectionsAreKept(t *testing.T) {
	var opened atomic.Int32
	d := newDoor(t, says(okEmpty))
	tr := zego.NewTransport()
	dial := tr.DialContext
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		opened.Add(1)
		return dial(ctx, network, addr)
	}
	defer tr.CloseIdleConnections()
	c := newClient(t, d.URL, func(cfg *zego.Config) { cfg.Transport = tr })
	statuses := []int{200, 502, 200, 429, 200}
	for _, status := range statuses {
		d.answer = func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, okEmpty)
		}
		_, _ = c.SendDanmakuGifts(t.Context(), testGifts())
	}
	if len(d.seen()) != len(statuses) || opened.Load() != 1 {
		t.Errorf("%d calls opened %d connections, want 1", len(d.seen()), opened.Load())
	}
}

// TestCallEndsWithItsTime: in a bubble, so that the ends are exact.
func TestCallEndsWithItsTime(t *testing.T) {
	for _, tt := range []struct {
		name    string
		dial    func(over <-chan struct{}) (net.Conn, error)
		timeout time.Duration
		want    time.Duration
		outcome room.Outcome
	}{
		{"no answer", dripping(""), 5 * time.Second, 5 * time.Second, room.Unknown},
		{
			"slow drip", dripping("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"Code\":42} "),
			45 * time.Second, 45 * time.Second, room.Unknown,
		},
		{"no deadline", dripping(""), 0, zego.CallMax, room.Unknown},
		{"no connection", func(over <-chan struct{}) (net.Conn, error) {
			<-over
			return nil, errors.New("too late")
		}, 3 * time.Second, 3 * time.Second, room.NotTaken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				over := make(chan struct{})
				tr := dialling(t, func(context.Context) (net.Conn, error) { return tt.dial(over) })
				c := newClient(t, "http://x.example", func(cfg *zego.Config) { cfg.Transport = tr })
				ctx := t.Context()
				if tt.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.timeout)
					defer cancel()
				}
				start := time.Now()
				_, err := c.SendDanmakuGifts(ctx, testGifts())
				if took := time.Since(start); took != tt.want {
					t.Errorf("ended after %v, want %v", took, tt.want)
				}
				if got := outcomeOf(t, err); got != tt.outcome || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v: %v", got, err)
				}
				close(over)
				synctest.Wait()
			})
		})
	}
}

// dripping dials a server that reads the call, answers a byte a second, and then
// nothing, until over is closed.
func dripping(answer string) func(over <-chan struct{}) (net.Conn, error) {
	return func(over <-chan struct{}) (net.Conn, error) {
		client, server := net.Pipe()
		go func() { // ends when over is closed
			req, err := http.ReadRequest(bufio.NewReader(server))
			if err == nil {
				_, err = io.Copy(io.Discard, req.Body)
			}
			for i := 0; err == nil && i < len(answer); i++ {
				select {
				case <-over:
					return
				case <-time.After(time.Second):
					_, err = server.Write([]byte{answer[i]})
				}
			}
			<-over
		}()
		return client, nil
	}
}

func TestGivenTransportIsLeftAlone(t *testing.T) {
	var closed bool
	c := newClient(t, "http://x.example", func(cfg *zego.Config) { cfg.Transport = closer{&closed} })
	c.CloseIdleConnections()
	if closed {
		t.Error("a transport that was given was closed")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type closer struct{ closed *bool }

func (c closer) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("unused") }

func (c closer) CloseIdleConnections() { *c.closed = true }

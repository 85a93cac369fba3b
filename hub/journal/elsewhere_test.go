package journal_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/journal"
)

// lone runs a server of its own, in a stream of which there is a name.
func lone(t *testing.T, stream string) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, Username: "u", Password: "p",
		JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 40, JetStreamMaxMemory: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start() // ends with Shutdown
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the NATS server did not start")
	}
	u := url.URL{Scheme: "nats", User: url.UserPassword("u", "p"), Host: s.Addr().String()}
	js := byHand(t, u.String())
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: stream, Subjects: []string{stream}}); err != nil {
		t.Fatal(err)
	}
	return u.String()
}

// The connection moves to the server with which the trial succeeds, and to no other.
func TestElsewhere(t *testing.T) {
	first, second, third := lone(t, "A"), lone(t, "B"), lone(t, "C")
	j, err := journal.Open(t.Context(), journal.Config{
		NATSURL: first + ", " + second + "," + third, Node: "n1", Replicas: 1, Retention: small(),
		NATSOptions: []nats.Option{nats.DontRandomize()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	if got := j.Conn().ConnectedUrl(); got != first {
		t.Fatalf("connected to %s, want the first", got)
	}
	tried := 0
	has := func(stream string) func(context.Context, jetstream.JetStream) error {
		return func(ctx context.Context, js jetstream.JetStream) error {
			tried++
			_, err := js.Stream(ctx, stream)
			return err
		}
	}
	if err := j.Elsewhere(bounded(t), has("A")); !errors.Is(err, jetstream.ErrStreamNotFound) || tried != 2 {
		t.Errorf("Elsewhere: %v after %d trials, only the present server would do", err, tried)
	}
	if got := j.Conn().ConnectedUrl(); got != first {
		t.Errorf("connected to %s, want the first still", got)
	}
	moved := j.Conn().StatusChanged(nats.CONNECTED)
	if err := j.Elsewhere(bounded(t), has("C")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-moved:
	case <-bounded(t).Done():
		t.Fatal("never connected again")
	}
	if got := j.Conn().ConnectedUrl(); got != third {
		t.Errorf("connected to %s, want the third", got)
	}
}

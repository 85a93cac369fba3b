package journal_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
)

// lone runs a server of its own, in a stream of which there is a name.
func lone(t *testing.T, stream string) string {
	t.Helper()
	s := natstest.Start(t, func(o *server.Options) { o.Username, o.Password = "u", "p" })
	u := url.URL{Scheme: "nats", User: url.UserPassword("u", "p"), Host: strings.TrimPrefix(s.URL(), "nats://")}
	js := natstest.ByHand(t, u.String())
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

package cluster_test

import (
	"testing"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/internal/natstest"
)

// A slow answer holds up no other, and may be given after the subscription has ended.
func TestServeMany(t *testing.T) {
	url := natstest.Start(t).URL()
	a, b := cluster.NewBus(connect(t, url)), cluster.NewBus(connect(t, url))
	slow := make(chan func([]byte), 1)
	told := make(chan string, 1)
	sub, err := b.ServeMany("gw.ask.1", func(data []byte, give func([]byte)) {
		switch string(data) {
		case "slow":
			slow <- give
		case "told":
			give([]byte("nobody hears it"))
			told <- string(data)
		default:
			give(data)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Flush(bounded(t)); err != nil {
		t.Fatal(err)
	}
	answered := make(chan string, 1)
	go func() {
		got, err := a.Ask(bounded(t), "gw.ask.1", []byte("slow"), patience)
		if err != nil {
			t.Errorf("Ask slow: %v", err)
		}
		answered <- string(got)
	}()
	give := receive(t, slow, "the slow request")
	if got, err := a.Ask(bounded(t), "gw.ask.1", []byte("fast"), patience); err != nil || string(got) != "fast" {
		t.Errorf("Ask fast: %q, %v", got, err)
	}
	if err := a.Publish("gw.ask.1", []byte("told")); err != nil {
		t.Fatal(err)
	}
	receive(t, told, "what was published")
	sub.Close()
	give([]byte("at last"))
	if got := receive(t, answered, "the slow answer"); got != "at last" {
		t.Errorf("got %q", got)
	}
}

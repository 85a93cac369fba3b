package cluster_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/internal/natstest"
)

func TestBus(t *testing.T) {
	url := natstest.Start(t).URL()
	a, b := cluster.NewBus(connect(t, url)), cluster.NewBus(connect(t, url))
	heard := make(chan string, 8)
	sub, err := b.Subscribe("gw.test.*", func(subject string, data []byte) { heard <- subject + " " + string(data) })
	if err != nil {
		t.Fatal(err)
	}
	served, err := b.Serve("gw.ask.1", func(data []byte) []byte {
		if string(data) == "nothing" {
			return nil
		}
		return []byte(strings.ToUpper(string(data)))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Flush(bounded(t)); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"x", "y"} {
		if err := a.Publish("gw.test.1", []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if got := receive(t, heard, "x") + receive(t, heard, "y"); got != "gw.test.1 xgw.test.1 y" {
		t.Errorf("heard %q", got)
	}
	if got, err := a.Ask(bounded(t), "gw.ask.1", []byte("who"), patience); err != nil || string(got) != "WHO" {
		t.Errorf("Ask: %q, %v", got, err)
	}
	for subject, data := range map[string]string{"gw.ask.1": "nothing", "gw.ask.2": "who"} {
		if _, err := a.Ask(bounded(t), subject, []byte(data), 50*time.Millisecond); !errors.Is(err, cluster.ErrNoAnswer) {
			t.Errorf("Ask %s: %v, want ErrNoAnswer", subject, err)
		}
	}
	sub.Close()
	served.Close()
	if err := b.Flush(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if err := a.Publish("gw.test.1", []byte("z")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Ask(bounded(t), "gw.ask.1", []byte("who"), patience); !errors.Is(err, cluster.ErrNoAnswer) {
		t.Errorf("after Close: %v, want ErrNoAnswer", err)
	}
	select {
	case got := <-heard:
		t.Errorf("after Close: heard %s", got)
	default:
	}
}

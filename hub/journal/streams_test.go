package journal_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/internal/natstest"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// TestDrift changes one setting by hand after the other: every one is refused, with
// stream and field.
func TestDrift(t *testing.T) {
	for name, tc := range map[string]struct {
		stream string
		change func(*jetstream.StreamConfig)
		want   string
	}{
		"age":          {"GIFTS", func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }, "GIFTS.max_age is 1h0m0s, needed is 26h0m0s"},
		"size":         {"OUTCOMES", func(c *jetstream.StreamConfig) { c.MaxBytes = -1 }, "OUTCOMES.max_bytes is -1, needed is 67108864"},
		"discard":      {"OUTCOMES", func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld }, "OUTCOMES.discard is DiscardOld"},
		"window":       {"GIFTS", func(c *jetstream.StreamConfig) { c.Duplicates = time.Second }, "GIFTS.duplicate_window is 1s, needed is 2m0s"},
		"acks":         {"GIFTS", func(c *jetstream.StreamConfig) { c.NoAck = true }, "GIFTS.no_ack is true"},
		"subjects":     {"IDS", func(c *jetstream.StreamConfig) { c.Subjects = []string{"gw.ids.*", "other"} }, "IDS.subjects is gw.ids.* other"},
		"per subject":  {"SNAPS", func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 }, "SNAPS.max_msgs_per_subject is 1, needed is 2"},
		"messages":     {"OUTCOMES", func(c *jetstream.StreamConfig) { c.MaxMsgs = 5 }, "OUTCOMES.max_msgs is 5"},
		"message size": {"GIFTS", func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1024 }, "GIFTS.max_msg_size is 1024"},
		"direct":       {"GIFTS", func(c *jetstream.StreamConfig) { c.AllowDirect = false }, "GIFTS.allow_direct is false"},
		"rollup":       {"OUTCOMES", func(c *jetstream.StreamConfig) { c.AllowRollup = true }, "OUTCOMES.allow_rollup_hdrs is true"},
		"ttl":          {"GIFTS", func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true }, "GIFTS.allow_msg_ttl is true"},
		"republish": {"GIFTS", func(c *jetstream.StreamConfig) {
			c.RePublish = &jetstream.RePublish{Source: ">", Destination: "leak.>"}
		}, "GIFTS.republish is true"},
		"format": {"GIFTS", func(c *jetstream.StreamConfig) { c.Metadata["giftwire.format"] = "2" }, "GIFTS.metadata.giftwire.format is 2"},
		"namespace": {"GIFTS", func(c *jetstream.StreamConfig) {
			c.Metadata["giftwire.msgid_namespace"] = "x"
		}, "GIFTS.metadata.giftwire.msgid_namespace is x, needed is " + room.MsgIDNamespace()},
		"hash":  {"SNAPS", func(c *jetstream.StreamConfig) { c.Metadata["giftwire.hash"] = "crc32" }, "SNAPS.metadata.giftwire.hash is crc32"},
		"epoch": {"IDS", func(c *jetstream.StreamConfig) { c.Metadata["giftwire.epoch"] = "x" }, "IDS.metadata.giftwire.epoch is x"},
		"foreign": {"OUTCOMES", func(c *jetstream.StreamConfig) {
			c.Metadata = map[string]string{"owner": "me"}
		}, "OUTCOMES.metadata is"},
	} {
		t.Run(name, func(t *testing.T) {
			s := natstest.Start(t)
			cfg := settings(journal.Config{NATSURL: s.URL()})
			if err := openJournal(t, cfg).Close(); err != nil {
				t.Fatal(err)
			}
			changeStream(t, natstest.ByHand(t, s.URL()), tc.stream, tc.change)
			_, err := journal.Open(t.Context(), cfg)
			var drift *journal.DriftError
			if !errors.Is(err, journal.ErrDrift) || !errors.As(err, &drift) || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("Open: %v\nwant %s", err, tc.want)
			}
			if len(drift.Drifts) != 1 {
				t.Errorf("one setting was changed, %v are named", drift.Drifts)
			}
		})
	}
}

func changeStream(tb testing.TB, js jetstream.JetStream, name string, change func(*jetstream.StreamConfig)) {
	tb.Helper()
	s, err := js.Stream(tb.Context(), name)
	if err != nil {
		tb.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	change(&cfg)
	if _, err := js.UpdateStream(tb.Context(), cfg); err != nil {
		tb.Fatal(err)
	}
}

func TestDriftNamesEverythingAtOnce(t *testing.T) {
	s := natstest.Start(t)
	cfg := settings(journal.Config{NATSURL: s.URL()})
	openJournal(t, cfg)
	js := natstest.ByHand(t, s.URL())
	changeStream(t, js, "GIFTS", func(c *jetstream.StreamConfig) { c.MaxAge, c.MaxBytes = time.Hour, 1<<30 })
	changeStream(t, js, "SNAPS", func(c *jetstream.StreamConfig) { c.MaxMsgs = 7 })
	_, err := journal.Open(t.Context(), cfg)
	var drift *journal.DriftError
	if !errors.As(err, &drift) || len(drift.Drifts) != 3 {
		t.Fatalf("Open: %v", err)
	}
	// What is the operator's may be changed.
	changeStream(t, js, "GIFTS", func(c *jetstream.StreamConfig) {
		c.MaxAge, c.MaxBytes, c.Description, c.Metadata["team"] = 26*time.Hour, 64<<20, "gifts", "live"
	})
	changeStream(t, js, "SNAPS", func(c *jetstream.StreamConfig) { c.MaxMsgs = -1 })
	openJournal(t, cfg)
}

func TestAMissingStreamIsNotMadeAnew(t *testing.T) {
	for _, missing := range []string{"GIFTS", "OUTCOMES", "SNAPS", "IDS"} {
		t.Run(missing, func(t *testing.T) {
			s := natstest.Start(t)
			cfg := settings(journal.Config{NATSURL: s.URL()})
			mustAppend(t, openJournal(t, cfg).Log(0), 0, journal.OutcomeRecord{
				Kind: journal.KindTakeover, Node: "n1", Incarnation: "i", Term: 1, Number: 1,
			})
			if err := natstest.ByHand(t, s.URL()).DeleteStream(t.Context(), missing); err != nil {
				t.Fatal(err)
			}
			if _, err := journal.Open(t.Context(), cfg); !errors.Is(err, journal.ErrDrift) || !strings.Contains(err.Error(), missing) {
				t.Errorf("Open: %v", err)
			}
		})
	}
}

// TestAnInterruptedStartGoesOn: a node died after it had made OUTCOMES.
func TestAnInterruptedStartGoesOn(t *testing.T) {
	s := natstest.Start(t)
	cfg := settings(journal.Config{NATSURL: s.URL()})
	epoch := openJournal(t, cfg).Epoch()
	js := natstest.ByHand(t, s.URL())
	for _, name := range []string{"GIFTS", "SNAPS", "IDS"} {
		if err := js.DeleteStream(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if again := openJournal(t, cfg); again.Epoch() != epoch {
		t.Error("the streams have two epochs")
	}
}

func TestNodesThatStartAtOnceAgree(t *testing.T) {
	s := natstest.Start(t)
	const nodes = 5
	epochs := make(chan string, nodes)
	var starting sync.WaitGroup
	for range nodes {
		starting.Go(func() {
			j, err := journal.Open(t.Context(), settings(journal.Config{NATSURL: s.URL()}))
			if err != nil {
				t.Errorf("Open: %v", err)
				epochs <- ""
				return
			}
			epochs <- j.Epoch()
			if err := j.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	starting.Wait()
	first := <-epochs
	for range nodes - 1 {
		if other := <-epochs; other != first {
			t.Errorf("epochs %q and %q", first, other)
		}
	}
}

func TestPartitionsAreFixed(t *testing.T) {
	s := natstest.Start(t)
	cfg := settings(journal.Config{NATSURL: s.URL()})
	if j := openJournal(t, cfg); j.Partitions() != 64 {
		t.Errorf("%d partitions by default", j.Partitions())
	}
	cfg.Partitions = 3
	if _, err := journal.Open(t.Context(), cfg); !errors.Is(err, journal.ErrDrift) || !strings.Contains(err.Error(), "giftwire.partitions is 64, needed is 3") {
		t.Errorf("Open with another number: %v", err)
	}
	cfg.Partitions = 64
	openJournal(t, cfg)

	dir := t.TempDir()
	j := openJournal(t, journal.Config{Dir: dir, Partitions: 2})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if j := openJournal(t, journal.Config{Dir: dir}); j.Partitions() != 2 {
		t.Errorf("%d partitions, the streams have 2", j.Partitions())
	}
}

func TestResizeIsDeliberate(t *testing.T) {
	dir := t.TempDir()
	cfg := settings(journal.Config{Dir: dir})
	open := func() error {
		j, err := journal.Open(t.Context(), cfg)
		if err == nil {
			err = j.Close()
		}
		return err
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	cfg.Retention.GiftBytes, cfg.Retention.OutcomeAge = 32<<20, 10*24*time.Hour
	if err := open(); !errors.Is(err, journal.ErrDrift) {
		t.Fatalf("other sizes were taken: %v", err)
	}
	cfg.Retention.Resize = true
	if err := open(); err != nil {
		t.Fatalf("Resize: %v", err)
	}
	cfg.Retention.Resize = false
	if err := open(); err != nil {
		t.Errorf("after Resize: %v", err)
	}
}

func TestResizeMendsNothingElse(t *testing.T) {
	s := natstest.Start(t)
	cfg := settings(journal.Config{NATSURL: s.URL()})
	openJournal(t, cfg)
	changeStream(t, natstest.ByHand(t, s.URL()), "GIFTS", func(c *jetstream.StreamConfig) { c.MaxMsgs = 5 })
	cfg.Retention.GiftBytes, cfg.Retention.Resize = 32<<20, true
	if _, err := journal.Open(t.Context(), cfg); !errors.Is(err, journal.ErrDrift) || !strings.Contains(err.Error(), "max_msgs") {
		t.Errorf("Open: %v", err)
	}
}

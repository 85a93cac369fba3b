package hub

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// goodConfig is a config that would do, with a journal that is not open.
func goodConfig(tb testing.TB) Config {
	tb.Helper()
	tokens, err := auth.NewHS256(auth.HS256Config{Secret: []byte(strings.Repeat("s", 32))})
	if err != nil {
		tb.Fatal(err)
	}
	return Config{
		Journal: new(journal.Journal), Sender: answering(room.Answer{}), Auth: tokens, AppID: 1,
		APIKeys: []string{testKey},
	}
}

func TestConfigDefaults(t *testing.T) {
	cfg := goodConfig(t)
	cfg.Journal = openJournal(t, journal.Retention{})
	cfg, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Logger == nil || cfg.Web.Avatar != DefaultAvatar {
		t.Errorf("defaults: %+v", cfg)
	}
	if l := cfg.Limits; l.Drain != 20*time.Second || l.Viewer.Gifts != (Rate{20, 40}) || l.Viewer.Upgrades != (Rate{50, 500}) ||
		l.Room.FlushInterval != 100*time.Millisecond || l.LaunchEvery != 10*time.Second {
		t.Errorf("limits: %+v", l)
	}
}

func TestConfigNamesEveryFault(t *testing.T) {
	_, err := (Config{
		APIKeys: []string{"", " padded-key-padded-key"},
		Web:     Web{Origins: []string{"*", "https://a.example/x", "https://ok.example"}, Proxies: []netip.Prefix{{}}, Avatar: "x"},
		Limits: Limits{
			Drain: time.Hour, SubmitTimeout: 1, LaunchEvery: 1,
			Viewer: ViewerLimits{Gifts: Rate{PerSecond: -1, Burst: 1}, Comments: Rate{PerSecond: 1}},
			Room:   room.Limits{FlushInterval: time.Second},
			Intake: intake.Limits{RoomOpen: -1},
			Outbox: audience.Limits{OutboxBytes: -1},
		},
	}).withDefaults()
	if !errors.Is(err, ErrBadConfig) || !errors.Is(err, room.ErrBadLimits) {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{
		"Journal", "Sender", "Auth is missing", "AppID", "APIKeys[0]", "APIKeys[1]", "Origins[0]", "Origins[1]", "Proxies[0]",
		"Avatar", "Drain", "SubmitTimeout", "LaunchEvery", "Viewer.Gifts", "Viewer.Comments", "FlushInterval", "RoomOpen", "OutboxBytes",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s", want)
		}
	}
	for _, secret := range []string{"short", "padded-key"} {
		if strings.Contains(err.Error(), `"`+secret) {
			t.Errorf("the error repeats the key %s", secret)
		}
	}
	if strings.Contains(err.Error(), "Origins[2]") {
		t.Error("a good origin is called bad")
	}
}

func TestConfigDrainMustCoverACall(t *testing.T) {
	cfg := goodConfig(t)
	cfg.Limits.Room.CallTimeout = 30 * time.Second
	if _, err := cfg.withDefaults(); err == nil || !strings.Contains(err.Error(), "Drain") {
		t.Errorf("a call may take longer than the drain: %v", err)
	}
}

// A journal that is too small for the decisions of all that may be open is refused, by
// name: whoever is at the brim must not find out with gifts that were accepted.
func TestConfigDecisionsMustFit(t *testing.T) {
	cfg := goodConfig(t)
	cfg.Journal = openJournal(t, journal.Retention{OutcomeBytes: 240 << 20}) // 12 MiB for decisions
	_, err := cfg.withDefaults()
	if !errors.Is(err, ErrBadConfig) || !strings.Contains(err.Error(), "NodeOpen 200000") || !strings.Contains(err.Error(), "OutcomeBytes") {
		t.Errorf("error %v", err)
	}
	cfg.Limits.Intake.NodeOpen = 10_000
	if _, err := cfg.withDefaults(); err != nil {
		t.Errorf("10,000 open gifts: %v", err)
	}
}

// openJournal is one that is open until the test ends.
func openJournal(t *testing.T, r journal.Retention) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Node: "n1", Retention: r})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

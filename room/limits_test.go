package room_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/room"
)

func TestLimitsDefaults(t *testing.T) {
	got, err := room.Limits{}.WithDefaults()
	want := room.Limits{
		FlushInterval: 100 * time.Millisecond, GiftTTL: time.Minute, CallTimeout: 5 * time.Second,
		BackoffBase: 100 * time.Millisecond, BackoffMax: 2 * time.Second,
		PauseBase: time.Second, PauseMax: 10 * time.Second, JoinWait: 2 * time.Second,
	}
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
	if again, err := got.WithDefaults(); err != nil || again != got {
		t.Errorf("defaults are not a fixed point: %v", err)
	}
}

func TestLimitsBounds(t *testing.T) {
	for _, tt := range []struct {
		field  string
		limits room.Limits
	}{
		{"FlushInterval", room.Limits{FlushInterval: 49 * time.Millisecond}},
		{"FlushInterval", room.Limits{FlushInterval: 201 * time.Millisecond}},
		{"GiftTTL", room.Limits{GiftTTL: 999 * time.Millisecond}},
		{"GiftTTL", room.Limits{GiftTTL: 22*time.Hour + 1}},
		{"CallTimeout", room.Limits{CallTimeout: time.Millisecond}},
		{"CallTimeout", room.Limits{CallTimeout: time.Hour}},
		{"BackoffBase", room.Limits{BackoffBase: 3 * time.Second}},
		{"BackoffMax", room.Limits{BackoffMax: time.Hour}},
		{"PauseBase", room.Limits{PauseBase: -1}},
		{"PauseMax", room.Limits{PauseMax: time.Hour}},
		{"JoinWait", room.Limits{JoinWait: 2 * time.Minute}},
	} {
		if _, err := tt.limits.WithDefaults(); !errors.Is(err, room.ErrBadLimits) || !strings.Contains(err.Error(), tt.field) {
			t.Errorf("%+v: %v", tt.limits, err)
		}
	}
	_, err := room.Limits{FlushInterval: 1, GiftTTL: 1, JoinWait: time.Hour}.WithDefaults()
	for _, field := range []string{"FlushInterval", "GiftTTL", "JoinWait"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not reported: %v", field, err)
		}
	}
}

func TestNewCoreRefusesBadLimits(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), "GiftTTL") {
			t.Errorf("recovered %v", r)
		}
	}()
	room.NewCore(room.CoreConfig{Limits: room.Limits{GiftTTL: 24 * time.Hour}})
}

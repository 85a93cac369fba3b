package hub

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/giftwire/giftwire/hub/owner"
)

func TestCursorComesBack(t *testing.T) {
	for _, want := range []owner.Cursor{
		{}, {Seq: 1}, {Seq: 1, Index: owner.WholeRecord}, {Seq: math.MaxUint64, Index: 999},
	} {
		s := formatCursor("r1", "epoch", want)
		if len(s) > 64 || strings.ContainsAny(s, "+/= ") {
			t.Errorf("%+v: %q cannot stand in a URL as the document says", want, s)
		}
		got, err := parseCursor("r1", "epoch", s)
		if err != nil || got != want {
			t.Errorf("%+v: came back as %+v, %v", want, got, err)
		}
	}
	if got, err := parseCursor("r1", "epoch", ""); err != nil || got != (owner.Cursor{}) {
		t.Errorf("no cursor: %+v, %v; want the beginning", got, err)
	}
}

func TestCursorOfElsewhereIsRefused(t *testing.T) {
	good := formatCursor("r1", "epoch", owner.Cursor{Seq: 300, Index: 7})
	if _, err := parseCursor("r2", "epoch", good); !errors.Is(err, errBadCursor) {
		t.Errorf("another room's cursor: %v", err)
	}
	if _, err := parseCursor("r1", "other", good); !errors.Is(err, errOtherLedger) {
		t.Errorf("another epoch's cursor: %v", err)
	}
	for _, s := range []string{
		"x", "17", good + "A", good[:len(good)-1], good + "=", strings.ToUpper(good), " " + good,
		strings.Repeat("A", 5000), "Ag" + good[2:],
	} {
		if _, err := parseCursor("r1", "epoch", s); err == nil {
			t.Errorf("%.80q was taken for a cursor", s)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(formatCursor("r1", "e", owner.Cursor{Seq: 300, Index: 7}))
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCursor("r1", "e", s)
		if err != nil || s == "" {
			return
		}
		if back, err := parseCursor("r1", "e", formatCursor("r1", "e", c)); err != nil || back != c {
			t.Errorf("%q: %+v does not come back: %+v, %v", s, c, back, err)
		}
	})
}

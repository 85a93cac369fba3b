package load

import (
	"testing"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
)

func TestChain(t *testing.T) {
	t.Parallel()
	welcome := func(epoch string, seq uint64, resumed bool) any {
		return wire.Welcome{Epoch: epoch, Seq: seq, Resumed: resumed}
	}
	gifts := func(seq uint64) any { return wire.Gifts{Seq: seq} }
	lagged := func(from, to uint64) any { return wire.Lagged{From: from, To: to} }
	for _, tt := range []struct {
		name   string
		events []any
		kinds  []Kind // of each event; "" is right
		seq    uint64
	}{
		{"all well", []any{welcome("e", 5, false), gifts(6), gifts(7), welcome("e", 7, true), gifts(8)}, []Kind{"", "", "", "", ""}, 8},
		{"announced", []any{welcome("e", 5, false), lagged(6, 9), gifts(10)}, []Kind{"", "", ""}, 10},
		{"new epoch", []any{welcome("e", 5, false), welcome("f", 1, false), gifts(2)}, []Kind{"", "", ""}, 2},
		{"gap", []any{welcome("e", 5, false), gifts(7), gifts(8)}, []Kind{"", KindSilentGap, ""}, 8},
		{"repeat", []any{welcome("e", 5, false), gifts(6), gifts(6), gifts(7)}, []Kind{"", "", KindRepeatedSeq, ""}, 7},
		{"backwards", []any{welcome("e", 5, false), gifts(3), gifts(6)}, []Kind{"", KindRepeatedSeq, ""}, 6},
		{"lagged too early", []any{welcome("e", 5, false), lagged(5, 7)}, []Kind{"", KindBadLagged}, 7},
		{"lagged with a gap", []any{welcome("e", 5, false), lagged(7, 8), gifts(9)}, []Kind{"", KindBadLagged, ""}, 9},
		{"lagged backwards", []any{welcome("e", 5, false), lagged(6, 3), gifts(6)}, []Kind{"", KindBadLagged, ""}, 6},
		{"resumed elsewhere", []any{welcome("e", 5, false), gifts(6), welcome("e", 5, true)}, []Kind{"", "", KindBadResume}, 5},
		{"resumed at first", []any{welcome("e", 5, true)}, []Kind{KindBadResume}, 5},
		{"started over", []any{welcome("e", 5, false), welcome("e", 5, false)}, []Kind{"", KindBadResume}, 5},
		{"resumed in another epoch", []any{welcome("e", 5, false), welcome("f", 5, true)}, []Kind{"", KindBadResume}, 5},
		{"gifts before welcome", []any{gifts(1)}, []Kind{KindBadFrame}, 1},
	} {
		var c chain
		for i, event := range tt.events {
			var kind Kind
			var detail string
			switch e := event.(type) {
			case wire.Welcome:
				kind, detail = c.welcome(e)
			case wire.Gifts:
				kind, detail = c.gifts(e.Seq)
			case wire.Lagged:
				kind, detail = c.lag(e.From, e.To)
			}
			if kind != tt.kinds[i] || (kind == "") != (detail == "") {
				t.Errorf("%s: event %d: %q (%s), want %q", tt.name, i, kind, detail, tt.kinds[i])
			}
		}
		if c.place.Seq != tt.seq {
			t.Errorf("%s: at %d, want %d", tt.name, c.place.Seq, tt.seq)
		}
	}
	c := chain{place: client.Place{Epoch: "e", Seq: 5}, started: true}
	if c.lag(6, 9); c.lagged != 4 {
		t.Errorf("%d lagged, want 4", c.lagged)
	}
}

package room_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/giftwire/giftwire/room"
)

// TestReplay: the same config and events give the same effects, so that a simulator can
// replay a failure from its seed.
func TestReplay(t *testing.T) {
	type step struct {
		now room.Now
		ev  room.Event
		do  room.Effects
	}
	rapid.Check(t, func(rt *rapid.T) {
		var steps []step
		s := newScript(rt)
		cfg := s.cfg
		s.w.Twin = nil
		s.w.Each = func(now room.Now, ev room.Event, do room.Effects) { steps = append(steps, step{now, ev, do}) }
		rt.Repeat(s.actions())
		again := room.NewCore(cfg)
		for i, st := range steps {
			if diff := cmp.Diff(st.do, again.Step(st.now, st.ev)); diff != "" {
				rt.Fatalf("step %d, %T: %s", i, st.ev, diff)
			}
		}
	})
}

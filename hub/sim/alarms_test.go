package sim

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/room/roomtest"
)

// alarmSeeds is how many seeds a bug may hide in. Those of rare faults need more.
const alarmSeeds = 60

// A simulation that finds nothing may be one that sees nothing. Each bug is put where
// the code under test meets the world, and has to be found within few seeds.
func TestAlarmsRing(t *testing.T) {
	t.Parallel()
	for name, bug := range map[string]struct {
		bugs     func() bugs
		promises string // any of which is broken
		first    uint64 // seed; for bugs that only rare faults bring to light
	}{
		"a retry gets a new MsgID":             {func() bugs { return bugs{call: newIDs()} }, "P1 P2", 1},
		"open gifts are not in the snapshot":   {func() bugs { return bugs{tamper: head("open", "")} }, "P5 P8 P12", 1},
		"the snapshot has read too far":        {func() bugs { return bugs{tamper: readOn} }, "P5 P12", 1},
		"the memory of ids is not loaded":      {func() bugs { return bugs{noMemory: true} }, "P2 P3 P5 P8", 1},
		"accepted before it is durable":        {func() bugs { return bugs{ackBeforeSync: true} }, "P1", 1},
		"appends expect nothing":               {func() bugs { return bugs{noFence: true} }, "P2 P5 P7 takeover", 1},
		"the replay begins one record late":    {func() bugs { return bugs{replaySkips: true} }, "takeover P5", 1},
		"the totals in the snapshot are off":   {func() bugs { return bugs{tamper: totals} }, "P5", 1},
		"a recovered gift is taken for new":    {func() bugs { return bugs{event: young} }, "P2", 15},
		"unknown is not sticky":                {func() bugs { return bugs{event: certain} }, "P2", 15},
		"a missing row is taken for success":   {func() bugs { return bugs{event: optimist} }, "P2", 1},
		"gifts are given in the wrong order":   {func() bugs { return bugs{reorder: true} }, "P8", 1},
		"a join is an ordinary comment":        {func() bugs { return bugs{event: plain} }, "P8", 1},
		"a gift does not age":                  {func() bugs { return bugs{event: ageless()} }, "P2 P3 P12", 70},
		"an owner whose lease is over goes on": {func() bugs { return bugs{noLease: true} }, "P6 P7", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := bug.first; seed < bug.first+alarmSeeds; seed++ {
				r := run(t, seed, false, bug.bugs())
				if r.Err == nil {
					continue
				}
				if !slices.ContainsFunc(strings.Fields(bug.promises), func(p string) bool { return strings.Contains(r.Err.Error(), ": "+p+":") }) {
					t.Errorf("seed %d: %v; of %s it should be", seed, r.Err, bug.promises)
				}
				t.Logf("seed %d: %v", seed, r.Err)
				return
			}
			t.Errorf("not found in %d seeds", alarmSeeds)
		})
	}
}

// newIDs gives gifts that are sent again another id.
func newIDs() func(room.Call) room.Call {
	sent := make(map[room.MsgID]bool)
	return func(c room.Call) room.Call {
		if c.Action != room.ActionGifts {
			return c
		}
		call := *c.Gifts
		call.Gifts = nil
		for _, g := range c.Gifts.Gifts {
			if sent[g.MsgID] {
				other := *g
				other.MsgID[0]++
				g = &other
			}
			sent[g.MsgID] = true
			call.Gifts = append(call.Gifts, g)
		}
		c.Gifts = &call
		return c
	}
}

// change returns a tampering with a stored chunk, as JSON.
func change(chunk string, do func(map[string]any)) func(string, []byte) []byte {
	return func(name string, data []byte) []byte {
		if !strings.HasPrefix(name, chunk) {
			return data
		}
		var shape map[string]any
		if err := json.Unmarshal(data, &shape); err != nil {
			panic(err)
		}
		do(shape)
		data, err := json.Marshal(shape, json.Deterministic(true))
		if err != nil {
			panic(err)
		}
		return data
	}
}

func head(field string, value any) func(string, []byte) []byte {
	return change("head", func(shape map[string]any) { shape[field] = value })
}

func readOn(name string, data []byte) []byte {
	return change("head", func(shape map[string]any) { shape["read"] = shape["read"].(float64) + 1 })(name, data)
}

func totals(name string, data []byte) []byte {
	return change("r", func(shape map[string]any) {
		for _, r := range shape["rooms"].(map[string]any) {
			t := r.(map[string]any)["totals"].(map[string]any)
			t["delivered"] = t["delivered"].(float64) + 1
		}
	})(name, data)
}

func young(ev room.Event) room.Event {
	if e, ok := ev.(room.GiftAccepted); ok {
		e.Recovered = false
		return e
	}
	return ev
}

func ageless() func(room.Event) room.Event {
	return func(ev room.Event) room.Event {
		if e, ok := ev.(room.GiftAccepted); ok {
			e.AgeAtRead, e.StoredAt = 0, e.StoredAt+e.AgeAtRead.Milliseconds()
			return e
		}
		return ev
	}
}

func certain(ev room.Event) room.Event {
	if e, ok := ev.(room.CallEnded); ok && e.Answer.Outcome == room.Unknown {
		e.Answer.Outcome = room.NotTaken
		return e
	}
	return ev
}

func optimist(ev room.Event) room.Event {
	if e, ok := ev.(room.CallEnded); ok && e.Answer.Outcome == room.Consumed {
		for i, row := range e.Answer.Rows {
			e.Answer.Rows[i] = roomtest.Row(row.MsgID, room.ResultDelivered)
		}
		return e
	}
	return ev
}

func plain(ev room.Event) room.Event {
	if e, ok := ev.(room.Commented); ok {
		e.Comment.Join = false
		return e
	}
	return ev
}

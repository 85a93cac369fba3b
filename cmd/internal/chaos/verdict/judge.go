package verdict

import (
	"fmt"
	"slices"
	"strings"
)

// problemsMax bounds the problems that are spelled out; all are counted.
const problemsMax = 50

// Verdict is what the evidence says.
type Verdict struct {
	Accepted   int `json:"accepted"`
	Delivered  int `json:"delivered"`
	Failed     int `json:"failed"`
	Unresolved int `json:"unresolved"`
	Refused    int `json:"refused"`
	// Lost gifts were accepted and have no result, or one that is not true: delivered
	// without an effect.
	Lost int `json:"lost"`
	// Doubled gifts had their effect twice, or were shown or booked twice.
	Doubled int `json:"doubled"`
	// Worst is the most calls for gifts that came within any second for one room.
	Worst int `json:"worst_second"`
	// Found counts the problems of all kinds, Problems names the first of them.
	Found    int      `json:"found"`
	Problems []string `json:"problems,omitempty"`
}

// Holds reports whether nothing was found.
func (v *Verdict) Holds() bool { return v.Found == 0 }

func (v *Verdict) problem(format string, args ...any) {
	v.Found++
	if len(v.Problems) < problemsMax {
		v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
	}
}

// judge is a verdict in the making.
type judge struct {
	Verdict
	effects map[string]int // by MsgId
	rows    map[string]Row // of the hub's ledger, by MsgId
	known   map[string]*Gift
}

// Judge weighs the evidence.
func Judge(e *Evidence) *Verdict {
	j := &judge{effects: make(map[string]int), rows: make(map[string]Row), known: make(map[string]*Gift)}
	j.book(e)
	for i := range e.Gifts {
		j.gift(&e.Gifts[i])
	}
	j.strangers()
	j.chains(e.Chains)
	j.door(e.Arrivals)
	if e.Conflicts > 0 {
		j.problem("ZEGO was sent %d gifts under a MsgId that had another content", e.Conflicts)
	}
	return &j.Verdict
}

// book enters what ZEGO gave and what the hub wrote.
func (j *judge) book(e *Evidence) {
	for _, effect := range e.Effects {
		if j.effects[effect.MsgID]++; j.effects[effect.MsgID] == 2 {
			j.Doubled++
			j.problem("%s: ZEGO gave %s twice", effect.Room, effect.MsgID)
		}
	}
	for _, row := range e.Ledger {
		if first, twice := j.rows[row.MsgID]; twice {
			j.Doubled++
			j.problem("%s: the ledger has %s twice: %s, then %s", row.Room, row.MsgID, first.Status, row.Status)
			continue
		}
		j.rows[row.MsgID] = row
	}
}

// gift compares what its sender heard with what ZEGO and the hub wrote.
func (j *judge) gift(g *Gift) {
	name := fmt.Sprintf("%s/%s/%s", g.Room, g.User, g.ID)
	switch {
	case len(g.Accepted) == 0 && len(g.Results) == 0:
		if g.Refused {
			j.Refused++
		} else {
			j.problem("%s: never answered, neither accepted nor rejected", name)
		}
		return
	case len(g.Accepted) == 0:
		j.problem("%s: a result and never accepted", name)
		return
	case g.Refused:
		j.problem("%s: rejected for good, and accepted", name)
	}
	j.Accepted++
	id := g.Accepted[0]
	if other := j.known[id]; other != nil {
		j.Doubled++
		j.problem("%s: has the MsgId %s of %s", name, id, other.ID)
	}
	j.known[id] = g
	if slices.ContainsFunc(g.Accepted, func(other string) bool { return other != id }) {
		j.problem("%s: accepted under several MsgIds: %s", name, strings.Join(g.Accepted, ", "))
	}
	if len(g.Results) == 0 {
		j.Lost++
		j.problem("%s: accepted as %s, and no result", name, id)
		return
	}
	first := g.Results[0]
	for _, r := range g.Results {
		if r != first || r.MsgID != id {
			j.problem("%s: accepted as %s, two results: %+v, then %+v", name, id, first, r)
			break
		}
	}
	j.outcome(name, id, first.Status)
}

// outcome checks a result against ZEGO's ledger and the hub's.
func (j *judge) outcome(name, id, status string) {
	effects := j.effects[id]
	switch status {
	case Delivered:
		j.Delivered++
		if effects == 0 {
			j.Lost++
			j.problem("%s: delivered, and ZEGO never gave %s", name, id)
		}
	case Failed:
		j.Failed++
		if effects > 0 {
			j.problem("%s: failed, and ZEGO gave %s", name, id)
		}
	case Unresolved:
		j.Unresolved++
	default:
		j.problem("%s: unknown status %q", name, status)
	}
	if row, booked := j.rows[id]; !booked {
		j.problem("%s: %s is not in the hub's ledger", name, id)
	} else if row.Status != status {
		j.problem("%s: %s to its sender, %s in the hub's ledger", name, status, row.Status)
	}
}

// strangers finds what was given or booked, and never accepted.
func (j *judge) strangers() {
	for id := range j.effects {
		if j.known[id] == nil {
			j.problem("ZEGO gave %s, which nobody was told to be accepted", id)
		}
	}
	for id, row := range j.rows {
		if j.known[id] == nil {
			j.problem("%s: the hub's ledger has %s, which nobody was told to be accepted", row.Room, id)
		}
	}
}

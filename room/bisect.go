package room

import (
	"slices"
	"time"
)

// A list that is refused with 7200004 may hold one gift that spoils it. It is cut in
// halves, each sent as a call of its own under the same ids, until the culprit stands
// alone: about 2 log2(50), or 12 calls. The parts are not merged with other gifts
// before they are through, lest they spoil those too; other gifts of the lane get
// every other call. A part's gifts have had their first attempt, so gifts of the same
// viewers that pass them by break no order (P8).

// halves cuts a list in two; a list of one stays whole.
func halves(list []*openGift) [][]*openGift {
	if len(list) == 1 {
		return [][]*openGift{list}
	}
	middle := (len(list) + 1) / 2
	return [][]*openGift{list[:middle:middle], list[middle:]}
}

// suspect adds parts behind those that wait. They are bounded by the open gifts: a
// gift is in one part at most.
func (l *lane) suspect(parts ...[]*openGift) {
	l.suspects = append(l.suspects, parts...)
	for _, part := range parts {
		mark(part)
	}
}

// suspectAgain puts a part whose call brought no answer before those that wait.
func (l *lane) suspectAgain(part []*openGift) {
	l.suspects = append([][]*openGift{part}, l.suspects...)
	mark(part)
}

func mark(part []*openGift) {
	for _, g := range part {
		g.stage = suspect
	}
}

// trim drops what is not suspect any more from the first part, and empty parts before
// it: gifts leave when they are too old to be sent, and never come back.
func (l *lane) trim() {
	for len(l.suspects) > 0 {
		l.suspects[0] = slices.DeleteFunc(l.suspects[0], func(g *openGift) bool { return g.stage != suspect })
		if len(l.suspects[0]) > 0 {
			return
		}
		l.dropPart()
	}
}

func (l *lane) dropPart() {
	l.suspects[0] = nil
	if l.suspects = l.suspects[1:]; len(l.suspects) == 0 {
		l.suspects = nil
	}
}

// takeSuspects removes the first part if it is a part's turn, or nothing else is due;
// nil if not.
func (l *lane) takeSuspects(now time.Duration) []*openGift {
	l.trim()
	if len(l.suspects) == 0 {
		return nil
	}
	if l.turn = !l.turn; !l.turn && (l.full() || l.tick <= now) {
		return nil
	}
	part := l.suspects[0]
	l.dropPart()
	return part
}

package roomtest

import (
	"errors"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/room"
)

// talk counts comments and likes: what is neither taken nor shed still waits.
type talk struct {
	comments, commentsTaken, shedComments int
	likes, likesTaken, shedLikes          int
}

func (k *talk) shed(s room.Shed) {
	k.shedComments += s.Comments
	k.shedLikes += s.Likes
}

// recent calls are those that may be in flight or count: at most one an action while
// the others make their budgets' worth in each of the 60 s that a call may take.
const recent = 60 * (45 + 90 + 18)

// judgeRest judges what the core says of what comes next.
func (t *Twin) judgeRest(do room.Effects) error {
	open, flying := t.Open(), 0
	var owed time.Duration
	for _, c := range t.calls[max(0, len(t.calls)-recent):] {
		if !c.ended {
			flying++
		}
		owed = max(owed, c.endedAt+time.Second)
	}
	k := &t.talk
	switch {
	case do.Wake != 0 && do.Wake <= t.now.Mono:
		return fmt.Errorf("wants to be woken at %v", do.Wake)
	case t.stopped && do.Wake != 0:
		return errors.New("a stopped core wants to be woken")
	case !t.stopped && !do.Idle && do.Wake == 0 && flying == 0:
		return errors.New("sleeps for ever, but is not idle")
	case do.Idle && (open > 0 || flying > 0):
		return fmt.Errorf("idle with %d open gifts, %d calls", open, flying)
	case do.Idle && owed > t.now.Mono && len(t.calls) > 0:
		return errors.New("idle while its calls count")
	case do.Idle && (k.comments != k.commentsTaken+k.shedComments || k.likes != k.likesTaken+k.shedLikes):
		return fmt.Errorf("idle, but comments and likes do not add up: %+v", *k)
	}
	return nil
}

// Open counts the gifts that are not decided.
func (t *Twin) Open() int {
	n := 0
	for _, s := range t.gifts {
		if s.decision == nil {
			n++
		}
	}
	return n
}

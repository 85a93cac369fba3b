package roomtest

import (
	"fmt"
	"strings"

	"github.com/giftwire/giftwire/room"
)

// note writes a step's effects into the trace.
func (s *stage) note(now room.Now, _ room.Event, do room.Effects) {
	line := func(format string, args ...any) {
		fmt.Fprintf(&s.trace, "%v: %s\n", now.Mono, fmt.Sprintf(format, args...))
	}
	for i := 0; i < len(do.Decisions); {
		what, labels := endingOf(&do.Decisions[i]), []string(nil)
		for ; i < len(do.Decisions) && endingOf(&do.Decisions[i]) == what; i++ {
			labels = append(labels, s.labels[do.Decisions[i].Gift.MsgID])
		}
		line("%s [%s]", what, shorten(labels))
	}
	for _, c := range do.Calls {
		line("%v [%s]", c.Action, s.list(c))
	}
	for _, m := range do.Joined {
		line("%s has joined by %q", m.User.ID, m.Text)
	}
	for _, a := range do.Alarms {
		line("alarm: %v %d", a.Class, a.Code)
	}
	if do.Shed != (room.Shed{}) {
		line("shed %d comments, %d likes", do.Shed.Comments, do.Shed.Likes)
	}
	if do.Idle {
		line("idle")
	}
}

func endingOf(d *room.Decision) string {
	return fmt.Sprintf("%v %s, code %d, attempts %d", d.Status, d.Reason, d.Code, len(d.Attempts))
}

// list names a call's entries.
func (s *stage) list(c room.Call) string {
	var words []string
	switch c.Action {
	case room.ActionComments:
		for _, m := range c.Comments.Comments {
			words = append(words, fmt.Sprintf("%s:%q", m.User.ID, m.Text))
		}
	case room.ActionLikes:
		for _, l := range c.Likes.Likes {
			words = append(words, fmt.Sprintf("%s:%d", l.User.ID, l.Amount))
		}
	default:
		for _, id := range IDs(c) {
			words = append(words, s.labels[id])
		}
	}
	return shorten(words)
}

// shorten joins the words, and leaves out the middle of many.
func shorten(words []string) string {
	if n := len(words); n > 8 {
		words = append(words[:2:2], fmt.Sprintf("... %d in all ...", n), words[n-1])
	}
	return strings.Join(words, " ")
}

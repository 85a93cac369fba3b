package owner

import (
	"container/list"

	"github.com/giftwire/giftwire/room"
)

// joinsMax is how many viewers' joins one room remembers. A join is about 300 bytes
// (at most 1.7 KiB with the longest avatar), so a room holds 0.6 MB; the viewers past
// it have to join again by themselves in a new round.
const joinsMax = 2000

// join is the newest comment by which a viewer joined the room's game.
type join struct {
	Game    string
	Comment room.Comment
	// Taken: ZEGO has answered it with Code 0, so a restart need not send it again.
	Taken bool
}

// joins remembers the newest join of each viewer, the most recent joinsMax of them.
// The zero value is ready to use.
type joins struct {
	byUser map[string]*list.Element // of *join
	order  list.List                // oldest first
}

// put remembers a join as the viewer's newest.
func (j *joins) put(in join) {
	if j.byUser == nil {
		j.byUser = make(map[string]*list.Element)
	}
	if e, ok := j.byUser[in.Comment.User.ID]; ok {
		j.order.Remove(e)
	} else if len(j.byUser) >= joinsMax {
		oldest := j.order.Remove(j.order.Front()).(*join)
		delete(j.byUser, oldest.Comment.User.ID)
	}
	j.byUser[in.Comment.User.ID] = j.order.PushBack(&in)
}

// taken marks the join as answered, unless the viewer has sent another since. It
// reports whether anything changed.
func (j *joins) taken(c room.Comment) bool {
	e, ok := j.byUser[c.User.ID]
	if !ok {
		return false
	}
	in := e.Value.(*join)
	if in.Taken || in.Comment.At != c.At || in.Comment.Text != c.Text {
		return false
	}
	in.Taken = true
	return true
}

// all returns the joins, oldest first.
func (j *joins) all() []join {
	out := make([]join, 0, len(j.byUser))
	for e := j.order.Front(); e != nil; e = e.Next() {
		out = append(out, *e.Value.(*join))
	}
	return out
}

// renew takes back that they were taken, for a new round, and returns them all.
func (j *joins) renew() []join {
	for e := j.order.Front(); e != nil; e = e.Next() {
		e.Value.(*join).Taken = false
	}
	return j.all()
}

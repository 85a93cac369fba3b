package roomtest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/giftwire/giftwire/room"
)

// Sender is a [room.Sender] in memory. The zero value delivers everything at once.
type Sender struct {
	// Do, if set, answers the calls. It may wait, and is called concurrently.
	Do func(ctx context.Context, call room.Call) room.Answer

	mu    sync.Mutex // guards calls
	calls []*Sent
}

// Sent is a recorded call.
type Sent struct {
	Call      room.Call // ID is not known here
	StartedAt time.Time
	EndedAt   time.Time // zero: not ended
	Answer    room.Answer
}

var _ room.Sender = (*Sender)(nil)

// SendGifts implements [room.Sender].
func (s *Sender) SendGifts(ctx context.Context, c room.GiftCall) room.Answer {
	return s.do(ctx, room.Call{Action: room.ActionGifts, Gifts: &c})
}

// SendComments implements [room.Sender].
func (s *Sender) SendComments(ctx context.Context, c room.CommentCall) room.Answer {
	return s.do(ctx, room.Call{Action: room.ActionComments, Comments: &c})
}

// SendLikes implements [room.Sender].
func (s *Sender) SendLikes(ctx context.Context, c room.LikeCall) room.Answer {
	return s.do(ctx, room.Call{Action: room.ActionLikes, Likes: &c})
}

// QueryGifts implements [room.Sender].
func (s *Sender) QueryGifts(ctx context.Context, c room.QueryCall) room.Answer {
	return s.do(ctx, room.Call{Action: room.ActionQuery, Query: &c})
}

func (s *Sender) do(ctx context.Context, call room.Call) room.Answer {
	sent := &Sent{Call: call, StartedAt: time.Now()}
	s.mu.Lock()
	s.calls = append(s.calls, sent)
	s.mu.Unlock()
	answer := Deliver(call)
	if s.Do != nil {
		answer = s.Do(ctx, call)
	}
	s.mu.Lock()
	sent.EndedAt, sent.Answer = time.Now(), answer
	s.mu.Unlock()
	return answer
}

// Calls returns copies of the calls of an action so far, in the order of their starts.
func (s *Sender) Calls(a room.Action) []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Sent
	for _, c := range s.calls {
		if c.Call.Action == a {
			out = append(out, *c)
		}
	}
	return slices.Clip(out)
}

// Hang waits until ctx ends and answers that nothing is known: a platform that never
// answers.
func Hang(ctx context.Context) room.Answer {
	<-ctx.Done()
	return Lost()
}

// Wait lets d pass, or ctx end. It reports whether d passed.
func Wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/quota"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// handle answers one message. It blocks for what the intake waits for before a gift
// is journaled, and so a viewer's frames are taken one after the other.
func (s *session) handle(message []byte) {
	now := time.Now()
	frame, err := wire.Decode(message)
	var wrong *wire.FrameError
	retry, ok := quota.Take(s.link.frames, now)
	switch {
	case !ok:
		s.refuse(frameID(frame, err), limited("frames on this connection", retry))
		<-time.After(floodPause)
	case errors.As(err, &wrong):
		s.misread(wrong, now)
	default:
		s.take(frame, now)
	}
}

// frameID is the id of a gift or a comment, if it has a good one.
func frameID(frame wire.Frame, err error) string {
	var wrong *wire.FrameError
	if errors.As(err, &wrong) {
		return wrong.ID
	}
	switch f := frame.(type) {
	case wire.GiftFrame:
		return f.ID
	case wire.CommentFrame:
		return f.ID
	default:
		return ""
	}
}

func (s *session) take(frame wire.Frame, now time.Time) {
	switch f := frame.(type) {
	case wire.GiftFrame:
		s.gift(f, now)
	case wire.CommentFrame:
		s.comment(f, now)
	case wire.LikeFrame:
		s.like(f, now)
	case wire.PingFrame:
		s.member.Send(wire.Pong{T: f.T, Now: now.UnixMilli()})
	}
}

// misread answers a frame that was not understood, and ends a connection that sends
// too many.
func (s *session) misread(wrong *wire.FrameError, now time.Time) {
	s.refuse(wrong.ID, intake.Verdict{Code: wire.CodeBadRequest, Message: wrong.Message})
	if !wrong.Malformed {
		return
	}
	for len(s.abuses) > 0 && now.Sub(s.abuses[0]) >= abuseTime {
		s.abuses = s.abuses[1:]
	}
	if s.abuses = append(s.abuses, now); len(s.abuses) > abuseMax {
		s.member.Bye(wire.Bye{Code: wire.ByeAbuse})
	}
}

// refuse tells the viewer why a frame was not taken: rejected where it has an id, else
// error.
func (s *session) refuse(id string, v intake.Verdict) {
	if id == "" {
		s.member.Send(wire.Error{Code: v.Code, Message: v.Message})
		return
	}
	s.member.Send(rejection(id, v))
}

func rejection(id string, v intake.Verdict) wire.Rejected {
	// Rounded up: a client that comes back a moment early is refused again.
	retry := (v.RetryAfter + time.Millisecond - 1).Milliseconds()
	return wire.Rejected{ID: id, Code: v.Code, Message: v.Message, RetryAfterMS: retry}
}

func limited(what string, retry time.Duration) intake.Verdict {
	return intake.Verdict{Code: wire.CodeRateLimited, Message: "too many " + what, RetryAfter: retry}
}

// allowed checks right and rate; what names the frames, for people.
func (s *session) allowed(right auth.Rights, rates *quota.Table[userInRoom], what string, now time.Time) (intake.Verdict, bool) {
	if !s.who.Can.Has(right) {
		return intake.Verdict{Code: wire.CodeNotAllowed, Message: fmt.Sprintf("the token does not allow %s", what)}, false
	}
	if retry, ok := rates.Allow(userInRoom{s.room, s.who.User.ID}, now); !ok {
		return limited(what, retry), false
	}
	return intake.Verdict{}, true
}

func (s *session) gift(f wire.GiftFrame, now time.Time) {
	g := intake.Gift{
		Room: s.room, User: s.who.User, ID: f.ID, GiftID: f.GiftID, Count: f.Count, Value: f.Value, Receiver: f.Receiver,
	}
	if fault := g.Fault(); fault != "" {
		s.refuse(f.ID, intake.Verdict{Code: wire.CodeBadRequest, Message: fault})
		return
	}
	if v, ok := s.allowed(auth.CanGift, s.lobby.gifts, "gifts", now); !ok {
		s.refuse(f.ID, v)
		return
	}
	content := g.Content()
	s.member.Expect(f.ID, content)
	// The viewer may leave, and the gift goes on: nothing ends this but its own times.
	s.lobby.intake.Submit(context.Background(), g, func(v intake.Verdict) { s.judged(f.ID, content, v) })
}

// judged tells the viewer what became of a gift. It does not block.
func (s *session) judged(id string, content room.Content, v intake.Verdict) {
	switch v.Outcome {
	case intake.Accepted:
		s.member.Accepted(id, content, v.MsgID)
		if v.Decision != nil {
			s.member.Send(wire.ResultOf(*v.Decision))
		}
	case intake.Rejected:
		s.member.Refused(id, content, rejection(id, v))
	case intake.Unknown: // it may be stored: the viewer asks again under the same id
		s.member.Refused(id, content, nil)
	}
}

func (s *session) comment(f wire.CommentFrame, now time.Time) {
	c := intake.Comment{Room: s.room, User: s.who.User, Text: f.Text}
	if fault := c.Fault(); fault != "" {
		s.refuse(f.ID, intake.Verdict{Code: wire.CodeBadRequest, Message: fault})
		return
	}
	if v, ok := s.allowed(auth.CanComment, s.lobby.comments, "comments", now); !ok {
		s.refuse(f.ID, v)
		return
	}
	s.lobby.intake.Comment(c, func(v intake.Verdict) {
		switch v.Outcome {
		case intake.Accepted:
			s.lobby.chat.Comment(s.room, wire.CommentOf(room.Comment{User: c.User, Text: c.Text, At: now.UnixMilli()}))
		case intake.Rejected:
			s.refuse(f.ID, v)
		case intake.Unknown: // best effort is all that a comment is promised
		}
	})
}

func (s *session) like(f wire.LikeFrame, now time.Time) {
	if f.Count < 1 || f.Count > room.LikeMax {
		s.refuse("", intake.Verdict{Code: wire.CodeBadRequest, Message: fmt.Sprintf("count must be between 1 and %d", room.LikeMax)})
		return
	}
	if v, ok := s.allowed(auth.CanLike, s.lobby.likes, "likes", now); !ok {
		if v.Code != wire.CodeRateLimited || !s.postpone(f.Count) {
			s.refuse("", v)
		}
		return
	}
	s.liked(f.Count)
}

// postpone merges likes that came too fast into one frame that the sweeper takes in;
// false: there is no room for them in it.
func (s *session) postpone(count int) bool {
	for {
		now := s.postponed.Load()
		if now+int64(count) > room.LikeMax {
			return false
		}
		if s.postponed.CompareAndSwap(now, now+int64(count)) {
			return true
		}
	}
}

// catchUp takes in what was postponed, if the viewer's rate allows a frame now.
func (s *session) catchUp(now time.Time) {
	if s.postponed.Load() == 0 {
		return
	}
	if _, ok := s.allowed(auth.CanLike, s.lobby.likes, "likes", now); ok {
		s.liked(int(s.postponed.Swap(0)))
	}
}

// liked takes likes in.
func (s *session) liked(count int) {
	if v := s.lobby.intake.Like(intake.Like{Room: s.room, User: s.who.User, Count: count}); v.Outcome != intake.Accepted {
		s.refuse("", v)
		return
	}
	s.lobby.chat.Like(s.room, count)
}

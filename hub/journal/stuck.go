package journal

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// stuckID is how long the stream has said of a record's id that it is in process.
//
// A leader notes the id of what it proposes, without a sequence, and says so of every
// repeat. When it loses its leadership before the proposal got anywhere, it has to forget
// the id; but it goes through its notes from the newest one and stops at the first with a
// sequence, and one that was stored meanwhile may stand behind (nats-server v2.15.2,
// batchStagedDiff.commit and processStreamLeaderChange). When it leads again every repeat
// is refused, until the window of duplicates ends: for 2 minutes nothing of this node's
// gets into that partition.
type stuckID struct {
	since   time.Time // zero: the last answer was another one
	renamed int
}

// heard notes an attempt's error, and returns for how long there has been no other.
func (s *stuckID) heard(err error) time.Duration {
	if apiCode(err) != codeInProcess {
		s.since = time.Time{}
		return 0
	}
	if s.since.IsZero() {
		s.since = time.Now()
	}
	return time.Since(s.since)
}

// next is another id for the record. Its number in the record stays.
func (s *stuckID) next(name string) string {
	s.renamed++
	s.since = time.Time{}
	return name + "." + strconv.Itoa(s.renamed)
}

// settleID finds out what has become of a record whose ids are in process: its sequence,
// or 0: it is not stored and will not be, so that it may get another id. An error says
// that it is not known yet.
//
// It stores a mark first. What a leader proposed before is in front of the mark in its
// log, or in no log that can still win, since every leader to come has the mark. An
// attempt that is still on its way then, as in a server that was stopped, finds the id in
// process as well, or at worst makes a second record of the same gifts: a repeat, which
// has no second effect.
func (p *publisher) settleID(ctx context.Context, name string) (uint64, error) {
	mark := appendGiftRecord(nil, p.j.cfg.Node, p.j.incarnation+".end", 1, nil)
	end, err := p.j.Log(p.partition).save(ctx, p.subject, mark, nil)
	if err != nil {
		return 0, err
	}
	p.news.learn(end)
	seq, err := p.findUpTo(ctx, name, end)
	if err == nil && seq == 0 {
		p.j.cfg.Logger.Warn("an id is in process for ever: its record gets another one",
			slog.Int("partition", p.partition), slog.String("id", name))
	}
	return seq, err
}

// find looks the record up that was published under the name: between the newest
// own one known to be stored and the partition's last. 0: it is not there.
func (p *publisher) find(ctx context.Context, name string) (uint64, error) {
	tail, err := p.j.leaderLast(ctx, streamGifts, p.subject)
	if err != nil {
		return 0, err
	}
	return p.findUpTo(ctx, name, tail.seq)
}

func (p *publisher) findUpTo(ctx context.Context, name string, upTo uint64) (uint64, error) {
	var at uint64
	err := p.j.readThrough(ctx, span{stream: streamGifts, subject: p.subject, after: p.last, upTo: upTo}, func(m message) error {
		if id := m.header.Get(jetstream.MsgIDHeader); id == name || strings.HasPrefix(id, name+".") {
			at = m.seq
		}
		return nil
	})
	return at, err
}

package owner

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

const (
	// takeoverWait is how long an owner at most waits with its first call that follows
	// others too closely. The steady budget leaves two of ZEGO's 20 calls for the first second of
	// one new owner (room.TakeoverCalls), not of two: 18 calls of a first owner, 2 of a
	// second and 2 of a third within one second would be 22. Where the first owner has not
	// released, a call of it may hang, and 18 calls of the second and 2 of the third make
	// 21: until a call's timeout and a second after it was deposed.
	takeoverWait = time.Second
	// takeoverGap is how far apart two takeovers are that do not share a second, with as
	// much again for what the store's clock may be off.
	takeoverGap = 2 * time.Second
	// reopenRecords is how many records are read at once to find open gifts: 64 of at
	// most 1 MiB.
	reopenRecords = 64
)

// ErrHole says that the partition's log does not continue the snapshot, so the state
// cannot be rebuilt: records have aged out or were purged unseen. Refusing to run is safer than
// to give gifts again (P13).
var ErrHole = errors.New("owner: the log has a hole after the snapshot")

// takeOver appends the takeover, and rebuilds the state from the snapshot and the log
// up to there.
func (p *Partition) takeOver(ctx context.Context) error {
	last, err := p.before(ctx)
	if err != nil {
		return err
	}
	if last.Seq == 0 {
		// Never owned, or off for so long that the whole log has aged out: the snapshot
		// knows the last term.
		if last.Term, err = p.lastTerm(ctx); err != nil {
			return err
		}
	}
	p.identity = identity{node: p.cfg.Node, incarnation: p.cfg.Incarnation, term: last.Term + 1}
	rec := journal.OutcomeRecord{
		Kind: journal.KindTakeover, Node: p.identity.node, Incarnation: p.identity.incarnation,
		Term: p.identity.term, Number: 1,
	}
	own, err := p.cfg.Store.AppendOutcome(ctx, last.Seq, rec)
	if err != nil {
		return err
	}
	p.since = p.mono()
	// Whatever is stored by now an earlier owner may have read and sent, in a snapshot or
	// not: its outcome is unknown. The earlier owner starts no call after this.
	if p.inherited, err = retry(ctx, p.cfg.Logger, "find the end of GIFTS", p.cfg.Store.EndOfGifts); err != nil {
		return err
	}
	began := time.Now()
	var snap *restored
	if p.rooms, snap, err = p.loadSnapshot(ctx); err != nil {
		return err
	}
	if snap.head.Last >= own {
		// With its place in the log, this owner would get behind the fence: its next record
		// would follow that of an owner who lives, and break the chain for whoever comes after.
		return fmt.Errorf("%w: the snapshot is a later owner's, of record %d, after the takeover at %d", journal.ErrFenced, snap.head.Last, own)
	}
	if err := p.replay(ctx, snap, own); err != nil {
		return err
	}
	p.cfg.Logger.Info("partition taken over",
		slog.Uint64("term", p.identity.term), slog.Int("rooms", p.rooms.count),
		slog.Uint64("replayed_from", snap.head.Last), slog.Uint64("replayed_to", own),
		slog.Duration("took", time.Since(began)))
	return nil
}

// before is the record that the takeover follows.
func (p *Partition) before(ctx context.Context) (journal.OutcomeRecord, error) {
	if p.cfg.Behind != nil {
		return *p.cfg.Behind, nil
	}
	return retry(ctx, p.cfg.Logger, "read the log's last record", p.cfg.Store.LastOutcome)
}

// loadSnapshot makes the state that the stored chunks add up to.
func (p *Partition) loadSnapshot(ctx context.Context) (r *rooms, snap *restored, err error) {
	_, err = retry(ctx, p.cfg.Logger, "read the snapshot", func(ctx context.Context) (struct{}, error) {
		r, snap = newRooms(), new(restored)
		return struct{}{}, p.cfg.Store.LoadChunks(ctx, func(name string, data []byte) error {
			return snap.take(r, name, data)
		})
	})
	return r, snap, err
}

// lastTerm is the term that the snapshot covers, 0 if there is none.
func (p *Partition) lastTerm(ctx context.Context) (uint64, error) {
	_, snap, err := p.loadSnapshot(ctx)
	if err != nil {
		return 0, err
	}
	return snap.head.Term, nil
}

// replay folds the log's records after the snapshot in, up to the own takeover, and
// opens what the snapshot had open and the log has not decided.
func (p *Partition) replay(ctx context.Context, snap *restored, own uint64) error {
	head := &snap.head
	p.rooms.read = head.Read
	p.rooms.log = logHead{last: head.Last, term: head.Term, number: head.Number}
	p.rooms.takeoverAt, p.rooms.strayAt = head.TakeoverAt, head.StrayAt
	decided := make(map[room.MsgID]bool)
	after := head.Last
	_, err := retry(ctx, p.cfg.Logger, "replay the log", func(ctx context.Context) (struct{}, error) {
		// A repetition goes on behind what was folded in.
		return struct{}{}, p.cfg.Store.ReadOutcomes(ctx, after, own, func(rec journal.OutcomeRecord) error {
			if !p.rooms.log.precedes(&rec) {
				return fmt.Errorf("%w: %+v, then seq %d term %d number %d", ErrHole, p.rooms.log, rec.Seq, rec.Term, rec.Number)
			}
			wait := p.tooClose(&rec)
			for i := range rec.Rooms {
				d := &rec.Rooms[i]
				if rec.Seq > snap.covered[chunkOf(d.Room)] {
					p.rooms.foldRoom(rec.Seq, d)
				}
				p.rooms.settle(&rec, d)
				for j := range d.Decisions {
					decided[d.Decisions[j].Gift.MsgID] = true
				}
			}
			p.rooms.foldHead(&rec)
			if rec.Seq == own {
				p.notBefore = p.since + wait
			}
			after = rec.Seq
			return nil
		})
	})
	if err != nil {
		return err
	}
	return p.reopen(ctx, head.Open, decided)
}

// tooClose is how long a takeover has yet to wait because it follows the ones before it
// too closely, see takeoverWait; 0 if it does not.
func (p *Partition) tooClose(takeover *journal.OutcomeRecord) time.Duration {
	wait := takeoverGap - millis(takeover.StoredAt-p.rooms.takeoverAt)
	if stray := p.cfg.Limits.CallTimeout + takeoverWait - millis(takeover.StoredAt-p.rooms.strayAt); stray > wait {
		wait = stray
	}
	return min(max(wait, 0), takeoverWait)
}

// precedes reports whether rec is the record that follows h.
func (h logHead) precedes(rec *journal.OutcomeRecord) bool {
	if rec.Kind == journal.KindTakeover {
		return rec.Term == h.term+1 && rec.Number == 1
	}
	return rec.Term == h.term && rec.Number == h.number+1
}

// reopen loads the gifts that were open at the snapshot and are not decided since.
func (p *Partition) reopen(ctx context.Context, packed []byte, decided map[room.MsgID]bool) error {
	positions, err := unpackPositions(packed)
	if err != nil {
		return err
	}
	wanted := make(map[journal.Position]bool, len(positions))
	var seqs []uint64
	for _, at := range positions {
		wanted[at] = true
		if len(seqs) == 0 || seqs[len(seqs)-1] != at.Seq {
			seqs = append(seqs, at.Seq)
		}
	}
	for some := range slices.Chunk(seqs, reopenRecords) {
		records, err := retry(ctx, p.cfg.Logger, "read open gifts", func(ctx context.Context) ([]journal.GiftRecord, error) {
			return p.cfg.Store.GiftsAt(ctx, some)
		})
		if err != nil {
			return err
		}
		p.reopenFrom(records, wanted, decided)
	}
	if len(wanted) > 0 {
		// Only possible when nobody owned the partition for longer than GIFTS keeps.
		p.stats.lost.Add(int64(len(wanted)))
		p.cfg.Logger.Error("open gifts have aged out of the journal undecided", slog.Int("gifts", len(wanted)))
	}
	return nil
}

// reopenFrom opens what is wanted of the records, and takes it off the list.
func (p *Partition) reopenFrom(records []journal.GiftRecord, wanted map[journal.Position]bool, decided map[room.MsgID]bool) {
	for i := range records {
		rec := &records[i]
		for j, e := range rec.Entries {
			at := journal.Position{Seq: rec.Seq, Index: j}
			if !wanted[at] {
				continue
			}
			delete(wanted, at)
			if e.Gift != nil && !decided[e.Gift.MsgID] {
				p.rooms.add(&openGift{gift: e.Gift, position: at, node: rec.Node, storedAt: rec.StoredAt})
			}
		}
	}
}

// goOn gives the open gifts and the joins that ZEGO has not taken to the rooms.
func (p *Partition) goOn() {
	p.rooms.Lock()
	defer p.rooms.Unlock()
	for i := range p.rooms.byChunk {
		for _, e := range p.rooms.byChunk[i] {
			for _, j := range e.joins.all() {
				if !j.Taken {
					p.post(e, room.Commented{Game: j.Game, Comment: j.Comment})
				}
			}
		}
	}
	for _, g := range p.rooms.byAge() {
		p.hand(p.rooms.at(g.gift.Room), g)
	}
}

// hand gives an open gift to its room. The caller holds the lock.
func (p *Partition) hand(e *entry, g *openGift) {
	p.post(e, room.GiftAccepted{
		Gift: g.gift, StoredAt: g.storedAt, AgeAtRead: millis(time.Now().UnixMilli() - g.storedAt),
		Recovered: g.position.Seq <= p.inherited, SentUntil: p.since + p.cfg.Limits.CallTimeout,
	})
}

// loadMemory loads the ids decided in the last 26 h.
func (p *Partition) loadMemory(ctx context.Context) error {
	_, err := retry(ctx, p.cfg.Logger, "load the memory of ids", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, p.cfg.Store.LoadIDs(ctx, func(storedAt int64, ids []journal.ID) error {
			p.rooms.Lock()
			defer p.rooms.Unlock()
			for _, id := range ids {
				p.rooms.memory.remember(id.Key, id.Seq, ending(id.End), storedAt)
			}
			return nil
		})
	})
	return err
}

// retry repeats a read until it succeeds, ctx ends, or the error is one that no
// repetition mends. The store may be away for a while: that makes a node unready, it
// does not end it.
func retry[T any](ctx context.Context, log *slog.Logger, what string, read func(context.Context) (T, error)) (T, error) {
	pause := &backoff.ExponentialBackOff{
		InitialInterval: 100 * time.Millisecond, MaxInterval: time.Second, Multiplier: 2, RandomizationFactor: 0.5,
	}
	return backoff.Retry(ctx, func() (T, error) {
		out, err := read(ctx)
		for _, final := range []error{journal.ErrFenced, journal.ErrGone, journal.ErrClosed, journal.ErrDrift, journal.ErrFormat, ErrHole, errSnapshot} {
			if errors.Is(err, final) {
				return out, backoff.Permanent(err)
			}
		}
		return out, err
	}, backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, _ time.Duration) {
		log.Warn("store does not answer, trying again", slog.String("read", what), slog.Any("error", err))
	}))
}

// seed makes the jitter of a room's retries differ between rooms and incarnations.
func seed(incarnation, roomID string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(incarnation + "/" + roomID)) // never fails
	return h.Sum64()
}

// millis turns an age in milliseconds into a duration, never negative.
func millis(ms int64) time.Duration {
	return time.Duration(max(ms, 0)) * time.Millisecond
}

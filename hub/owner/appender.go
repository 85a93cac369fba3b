package owner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/hub/journal"
)

// appender writes the partition's log: one record at a time, each holding what all
// rooms decided while the previous one was being stored. It belongs to one goroutine.
type appender struct {
	store    Store
	rooms    *rooms
	verdicts *verdicts
	listener Listener
	identity identity
}

// identity is who writes.
type identity struct {
	node        string
	incarnation string
	term        uint64
}

// run appends until stop is closed and nothing waits any more, or an append fails.
// ctx bounds each append; when it ends, run does too.
func (a *appender) run(ctx context.Context, stop <-chan struct{}) error {
	mark := time.NewTicker(markEvery)
	defer mark.Stop()
	for {
		select {
		case <-a.verdicts.wake:
			if err := a.flush(ctx); err != nil {
				return err
			}
		case <-mark.C:
			if err := a.mark(ctx); err != nil {
				return err
			}
		case <-stop:
			return a.flush(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// mark appends a record that says nothing, so that the partition's last record stays
// young.
func (a *appender) mark(ctx context.Context) error {
	rec := a.record(journal.KindMark)
	if err := a.storeRecord(ctx, &rec); err != nil {
		return err
	}
	a.rooms.Lock()
	a.rooms.fold(&rec)
	a.rooms.Unlock()
	return nil
}

// flush appends until nothing waits.
func (a *appender) flush(ctx context.Context) error {
	for {
		batch, notices := a.verdicts.take(recordDecisionsMax)
		if len(batch) == 0 && len(notices) == 0 {
			return nil
		}
		if err := a.append(ctx, batch); err != nil {
			return err
		}
		for _, n := range notices {
			a.tell(n)
		}
	}
}

// append stores the batch as one record, or as two where it does not fit one, and
// tells the listener.
func (a *appender) append(ctx context.Context, batch []roomVerdicts) error {
	rec := a.record(journal.KindDecisions)
	a.rooms.Lock()
	for _, v := range batch {
		if d := entriesOf(a.rooms, v); len(d.Decisions) > 0 {
			rec.Rooms = append(rec.Rooms, d)
		}
	}
	a.rooms.Unlock()
	if len(rec.Rooms) == 0 {
		return nil
	}
	err := a.storeRecord(ctx, &rec)
	if errors.Is(err, journal.ErrTooLarge) {
		first, second, ok := halve(batch)
		if !ok {
			return fmt.Errorf("owner: one decision alone does not fit a record: %w", err)
		}
		if err := a.append(ctx, first); err != nil {
			return err
		}
		return a.append(ctx, second)
	}
	if err != nil {
		return err
	}
	a.stored(&rec)
	return nil
}

// record begins the writer's next record.
func (a *appender) record(kind journal.Kind) journal.OutcomeRecord {
	return journal.OutcomeRecord{
		Kind: kind, Node: a.identity.node, Incarnation: a.identity.incarnation,
		Term: a.identity.term, Number: a.rooms.log.number + 1,
	}
}

// storeRecord appends one record behind the last one and notes its sequence in it.
func (a *appender) storeRecord(ctx context.Context, rec *journal.OutcomeRecord) error {
	// Only this goroutine changes the log's head, so it may be read without the lock.
	seq, err := a.store.AppendOutcome(ctx, a.rooms.log.last, *rec)
	if err != nil {
		return err
	}
	rec.Seq, rec.StoredAt = seq, time.Now().UnixMilli()
	return nil
}

// stored folds a stored record in and tells its news, room by room.
func (a *appender) stored(rec *journal.OutcomeRecord) {
	a.rooms.Lock()
	a.rooms.fold(rec)
	a.rooms.Unlock()
	for i := range rec.Rooms {
		d := &rec.Rooms[i]
		news := News{Room: d.Room, Record: rec.Seq, Prev: d.Prev, Seq: d.Seq}
		for j := range d.Decisions {
			news.Decisions = append(news.Decisions, d.Decisions[j].Decision)
		}
		a.listener.Decided(news)
	}
}

func (a *appender) tell(n notice) {
	if n.repeated != nil {
		a.listener.Repeated(n.repeated.seq, n.repeated.decision)
	}
	if n.game != nil {
		a.listener.GameChanged(n.game.room, n.game.id, n.game.game)
	}
}

// halve cuts a batch in two by number of decisions; ok is false for a single one.
func halve(batch []roomVerdicts) (first, second []roomVerdicts, ok bool) {
	if len(batch) > 1 {
		return batch[:len(batch)/2], batch[len(batch)/2:], true
	}
	v := batch[0]
	n := len(v.decisions) / 2
	if n == 0 {
		return nil, nil, false
	}
	return []roomVerdicts{{v.room, v.decisions[:n]}}, []roomVerdicts{{v.room, v.decisions[n:]}}, true
}

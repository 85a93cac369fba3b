package owner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// counters count what happened since New; safe for concurrent use.
type counters struct {
	repeats   atomic.Int64 // gifts journaled again under a known id
	conflicts atomic.Int64 // of these, with other content: the first content stands
	lost      atomic.Int64 // times that the journal was found to have aged out undecided
	snapshots atomic.Int64
	failed    atomic.Int64 // snapshots
	failing   atomic.Int64 // snapshots in a row
	purges    atomic.Int64 // of decided history
}

// read goes on with what was open, loads the memory of ids, and then takes GIFTS in,
// record by record, until ctx ends. What it returns ends the partition.
func (p *Partition) read(ctx context.Context) error {
	// The open gifts need no memory: the log said that they are not decided.
	p.goOn()
	if err := p.loadMemory(ctx); err != nil {
		return err
	}
	after := p.rooms.read
	for {
		if after >= p.inherited {
			// What was accepted before the takeover is taken in. Until then an id that is
			// unknown here may be journaled all the same.
			if p.phase.CompareAndSwap(phaseTaking, phaseServing) {
				close(p.served)
			}
		}
		// Room for at least one record: its gifts are accepted, so they have to be taken
		// in, but need not be taken in now.
		if err := p.rooms.waitOpen(ctx, p.cfg.OpenMax); err != nil {
			return err
		}
		records, err := p.cfg.Store.ReadGifts(ctx, after)
		var gone *journal.GoneError
		if errors.As(err, &gone) && gone.First > after+1 {
			// Nobody owned the partition for longer than GIFTS keeps (26 h). What is gone is
			// too old to be sent anyway; stopping for ever would lose what follows, too.
			p.stats.lost.Add(1)
			p.cfg.Logger.Error("records of the journal have aged out unread", slog.Any("error", err))
			after = gone.First - 1
			continue
		}
		if err != nil {
			return fmt.Errorf("owner: read gifts after %d: %w", after, err)
		}
		for i := range records {
			if err := p.takeIn(ctx, &records[i]); err != nil {
				return err
			}
			after = records[i].Seq
		}
	}
}

// takeIn gives a record's entries to their rooms, in order.
func (p *Partition) takeIn(ctx context.Context, rec *journal.GiftRecord) error {
	for i, e := range rec.Entries {
		at := journal.Position{Seq: rec.Seq, Index: i}
		switch {
		case e.Gift != nil:
			g := &openGift{gift: e.Gift, position: at, node: rec.Node, storedAt: rec.StoredAt}
			if err := p.takeInGift(ctx, g); err != nil {
				return err
			}
		case e.Comment != nil:
			p.takeInJoin(e.Comment)
		case e.Callback != nil:
			p.takeInCallback(e.Callback)
		}
	}
	p.rooms.Lock()
	p.rooms.read = rec.Seq
	p.rooms.dirty = true
	p.rooms.Unlock()
	return nil
}

// takeInGift opens a gift that is new. One that is open already is the same gift (P4).
// One that was decided has had its effect, or its refusal: its sender is owed the
// first outcome again.
func (p *Partition) takeInGift(ctx context.Context, g *openGift) error {
	id := g.gift.MsgID
	p.rooms.Lock()
	if first, ok := p.rooms.open[id]; ok {
		p.rooms.Unlock()
		if first.position != g.position { // else the record is read again after a restart
			p.countRepeat(first.gift, g.gift)
		}
		return nil
	}
	seq, how, known := p.rooms.memory.find(id.Key())
	if !known {
		p.openGift(g)
		p.rooms.Unlock()
		return nil
	}
	p.rooms.Unlock()

	rec, err := retry(ctx, p.cfg.Logger, "read a decision", func(ctx context.Context) (journal.OutcomeRecord, error) {
		return p.cfg.Store.OutcomeAt(ctx, seq)
	})
	if isGone(err) {
		// Decided within a day, but its record was purged: never give it again. (One of ten
		// million ids that shares its first 8 bytes with this one would be taken for it, with a
		// probability of 5 in 10^13.)
		p.stats.repeats.Add(1)
		if d, ok := how.decision(g.gift); ok {
			p.rooms.Lock()
			newest := p.rooms.at(g.gift.Room).seq // at that decision it may have been lower
			p.rooms.Unlock()
			p.verdicts.tell(notice{repeated: &repeated{newest, d}})
			return nil
		}
		p.cfg.Logger.Warn("a repeated gift's first outcome is gone", slog.String("msg_id", id.String()))
		return nil
	}
	if err != nil {
		return err
	}
	if d, at := decisionOf(rec, id); d != nil {
		if d.Position != g.position {
			p.countRepeat(d.Gift, g.gift)
			p.verdicts.tell(notice{repeated: &repeated{at, d.Decision}})
		}
		return nil
	}
	// Another id with the same first 8 bytes.
	p.rooms.Lock()
	p.openGift(g)
	p.rooms.Unlock()
	return nil
}

// openGift opens a gift and hands it to its room. The caller holds the lock.
func (p *Partition) openGift(g *openGift) {
	e := p.rooms.add(g)
	if e.game.gave(g.gift.Game) {
		p.rooms.dirtyRooms[chunkOf(e.name)] = true
		p.gameChanged(e)
	}
	p.hand(e, g)
}

// gameChanged tells the room and its viewers. The caller holds the lock.
func (p *Partition) gameChanged(e *entry) {
	p.post(e, room.GameChanged{Game: e.game.Now})
	p.verdicts.tell(notice{game: &gameNews{e.name, e.game.ID, e.game.Now}})
}

func (p *Partition) countRepeat(first, again *room.Gift) {
	p.stats.repeats.Add(1)
	if first.Content() != again.Content() {
		p.stats.conflicts.Add(1)
	}
}

// takeInJoin remembers the join and sends it.
func (p *Partition) takeInJoin(c *journal.Comment) {
	p.rooms.Lock()
	defer p.rooms.Unlock()
	e := p.rooms.at(c.Room)
	e.joins.put(join{Game: c.Game, Comment: c.Comment})
	p.rooms.dirtyJoins[chunkOf(c.Room)] = true
	p.post(e, room.Commented{Game: c.Game, Comment: c.Comment})
}

// takeInCallback moves the room's game on. In a new round the viewers have to join
// again, and ZEGO is told so for them (ZEGO.md, unknown 26).
func (p *Partition) takeInCallback(c *journal.Callback) {
	p.rooms.Lock()
	defer p.rooms.Unlock()
	e := p.rooms.at(c.Room)
	game, before := e.game.ID, e.game.Now
	p.rooms.dirtyRooms[chunkOf(c.Room)] = true
	if !e.game.report(c) || e.game.Now == before && e.game.ID == game {
		return
	}
	p.gameChanged(e)
	if e.game.Now.State == room.GameRunning {
		p.rooms.dirtyJoins[chunkOf(c.Room)] = true
		for _, j := range e.joins.renew() {
			p.post(e, room.Commented{Game: j.Game, Comment: j.Comment})
		}
	}
}

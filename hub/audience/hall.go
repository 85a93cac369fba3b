package audience

import (
	"slices"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// hall is one room's audience. Everything that is told to a room becomes an entry,
// in one order; a goroutine that lives while there are entries hands them to the
// members. Locks are taken in the order hall.mu, Member.mu.
type hall struct {
	id    string
	house *House

	mu      sync.Mutex // guards all below
	members []*Member
	roster  []*Member          // a copy of members, never written to; nil: they have changed
	users   map[string]*Member // the first member of each user
	seq     uint64             // of the newest gifts event
	record  uint64             // of the log, the newest that was told or read here; 0: none was
	pos     uint64             // of the next entry
	past    history
	// queue is what the members were not told yet. It is as long as what a room decides
	// while its members are told of the last: at most 18 calls of 50 gifts a second,
	// against 0.2 s for 1,000,000 members.
	queue   []entry
	telling bool // a goroutine hands the queue out
	gone    bool // no longer in the house: look again
	chat    chat
}

// join makes a member and puts its first events into its outbox: welcome, and what
// it has missed. In one step, so that nothing told at the same time is missed or
// heard twice.
func (h *hall) join(j Joining) *Member {
	h.catchUp(j.Seq, j.Record)
	m := &Member{hall: h, user: j.User, conn: j.Conn, from: start{pos: h.pos}, place: len(h.members)}
	m.fast, _ = j.Conn.(Prompt) // nil where it is none
	standing := Standing{Seq: max(h.seq, j.Seq), Viewers: h.viewers() + 1}
	m.from.seq = standing.Seq
	var missed []item
	if s := j.Since; s != nil && *s <= max(h.seq, j.Seq) {
		standing.Seq, standing.Resumed = *s, true
		missed = h.past.since(*s, j.User)
		m.from.seq = *s
	}
	m.mu.Lock()
	m.add(item{event: j.Welcome(standing), kind: kindReply})
	for _, it := range missed {
		m.add(it)
	}
	h.members = append(h.members, m)
	h.roster = nil
	m.sibling = h.users[j.User]
	if h.users == nil {
		h.users = make(map[string]*Member)
	}
	h.users[j.User] = m
	h.house.crowd.Set(h.id, len(h.members))
	if len(h.members) == 1 {
		h.chat.told = standing.Viewers // by its welcome, and there is nobody else
	}
	h.counted()
	if h.chat.presence {
		h.chat.newcomers = append(h.chat.newcomers, newcomer{m, standing.Viewers})
	}
	m.wakeUnlock()
	return m
}

// leave takes a member out.
func (h *hall) leave(m *Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.place < 0 {
		return
	}
	h.roster = nil
	last := len(h.members) - 1
	h.members[m.place] = h.members[last]
	h.members[m.place].place = m.place
	h.members[last] = nil
	h.members = h.members[:last]
	m.place = -1
	if h.users[m.user] == m {
		if m.sibling == nil {
			delete(h.users, m.user)
		} else {
			h.users[m.user] = m.sibling
		}
	} else {
		p := h.users[m.user]
		for p.sibling != m {
			p = p.sibling
		}
		p.sibling = m.sibling
	}
	m.sibling = nil
	h.house.viewers.Add(-1)
	h.house.crowd.Set(h.id, len(h.members))
	h.counted()
}

// viewers counts the room's viewers on all nodes, under mu.
func (h *hall) viewers() int { return len(h.members) + h.house.crowd.Others(h.id) }

// tell makes an entry that everyone hears, under mu.
func (h *hall) tell(it item) (pos uint64) { return h.enqueue(entry{item: it}) }

// enqueue gives an entry its place, under mu.
func (h *hall) enqueue(e entry) (pos uint64) {
	e.pos = h.pos
	h.pos++
	if len(h.members) == 0 {
		return e.pos // whoever comes later begins after it
	}
	h.queue = append(h.queue, e)
	if !h.telling {
		h.telling = h.house.Start(h.handOut)
	}
	return e.pos
}

// decided tells what was decided, under mu.
func (h *hall) decided(news owner.News) {
	if news.Prev == 0 && len(news.Decisions) == 0 && len(h.members) == 0 {
		// Where the room stands, as who follows it anew is told. Whoever resumes reads the log.
		h.catchUp(news.Seq, news.Record)
		return
	}
	now := time.Now()
	delivered := deliveredOf(&news)
	heard, before := h.seq, news.Seq // the newest gifts event told here, and the one before these
	if len(delivered) > 0 && before > 0 {
		before--
	}
	inLog := news.Prev > h.record && (h.record > 0 || before > heard)
	if inLog {
		// Some records were never told here: nobody was there for a while, or they could not
		// be had. What is remembered begins anew, so that whoever resumes gets them from the log.
		h.begin(before)
	}
	h.record = max(h.record, news.Record)
	if l := &h.past.log; !l.known && len(news.Decisions) > 0 {
		l.known, l.older = true, news.Prev
	}
	for i := range news.Decisions {
		h.result(news.Seq, news.Decisions[i], past{record: news.Record, at: now})
	}
	gap := item{event: wire.Encode(wire.Lagged{From: heard + 1, To: before}), kind: kindLagged, from: heard + 1, to: before}
	switch {
	case before <= heard:
	case inLog:
		h.tell(gap)
	default:
		h.public(gap, past{at: now})
	}
	if news.Seq <= heard {
		return // known already: the room was entered after this was counted
	}
	if len(delivered) > 0 {
		h.public(giftsItem(news.Seq, delivered), past{record: news.Record, at: now})
	}
	h.seq = news.Seq
}

// begin makes the hall one that was told nothing yet, under mu: seq is the newest gifts
// event before all that it will be told.
func (h *hall) begin(seq uint64) {
	h.seq, h.past = seq, newHistory(seq)
}

// catchUp has a hall where nobody is begin at the room's newest gifts event and record (0:
// not known), if it is behind: what is decided in rooms that nobody watches here it is not
// told. Under mu.
func (h *hall) catchUp(seq, record uint64) {
	behind := record > h.record || record == 0 && seq > h.seq
	if len(h.members) > 0 || !behind || seq < h.seq {
		return
	}
	h.begin(seq)
	if record > 0 {
		h.record = record
		h.past.log.known, h.past.log.older = true, record
	}
}

// deliveredOf lists what a gifts event shows of the news.
func deliveredOf(news *owner.News) []wire.Gift {
	var delivered []wire.Gift
	for i := range news.Decisions {
		if d := &news.Decisions[i]; d.Status == room.Delivered {
			delivered = append(delivered, wire.GiftOf(d.Gift))
		}
	}
	return delivered
}

func giftsItem(seq uint64, delivered []wire.Gift) item {
	return item{event: wire.Encode(wire.Gifts{Seq: seq, Gifts: delivered}), kind: kindGifts, from: seq, to: seq}
}

func resultItem(seq uint64, d room.Decision) item {
	return item{event: wire.Encode(wire.ResultOf(d)), kind: kindReply, from: seq, to: seq}
}

// public tells and remembers what every member is to hear of the gifts, under mu.
func (h *hall) public(it item, p past) {
	p.item, p.pos = it, h.tell(it)
	h.past.addGifts(p, h.house.limits.HistoryBytes)
}

// result tells and remembers the result of a gift, under mu.
func (h *hall) result(seq uint64, d room.Decision, p past) {
	it := resultItem(seq, d)
	p.item, p.pos, p.user = it, h.enqueue(entry{item: it, gift: d.Gift}), d.Gift.User.ID
	if p.record != 0 && p.record <= h.past.log.older {
		return // it is read from the log
	}
	h.past.addResult(p, h.house.limits.HistoryBytes)
}

// handOut hands the queue to the members until it is empty. Whatever is told meanwhile
// goes out together with the next round.
func (h *hall) handOut() {
	desk := h.house.desk()
	defer h.house.put(desk)
	var public []entry
	for {
		h.mu.Lock()
		if len(h.queue) == 0 {
			h.telling = false
			h.mu.Unlock()
			return
		}
		queue := h.queue
		h.queue = nil
		public = public[:0]
		for i := range queue {
			if queue[i].gift == nil {
				public = append(public, queue[i])
				continue
			}
			for m := h.users[queue[i].gift.User.ID]; m != nil; m = m.sibling {
				m.hearResult(&queue[i])
			}
		}
		if len(public) > 0 && h.roster == nil {
			h.roster = slices.Clone(h.members)
		}
		members := h.roster
		h.mu.Unlock()
		if len(public) > 0 {
			h.tellAll(members, desk.split(public))
		}
	}
}

// forget drops history from before the time given, and reports whether nobody needs
// the hall any more.
func (h *hall) forget(before time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.past.forget(before)
	return h.unneeded()
}

func (h *hall) unneeded() bool { return len(h.members) == 0 && h.past.empty() && !h.telling }

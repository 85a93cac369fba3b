package zegotest

import "time"

// Effect is one gift given in a game: what a viewer has paid for.
type Effect struct {
	Seq      uint64    `json:"seq"` // counts effects from 1
	At       time.Time `json:"at"`
	Room     string    `json:"room"`
	Game     string    `json:"mini_game_id"`
	MsgID    string    `json:"msg_id"`
	User     string    `json:"user_id"`
	Nickname string    `json:"nickname"`
	Gift     string    `json:"gift_id"`
	Value    int       `json:"value"`
	Num      int       `json:"num"`
	Receiver string    `json:"receiver_id"`
	// Times is how often the MsgId had its effect so far: more than 1 is a fault of
	// whoever called.
	Times int `json:"times"`
}

// row is one result as ZEGO's answers have it.
type row struct {
	Result    int    `json:"Result"`
	Msg       string `json:"Msg"`
	MsgID     string `json:"MsgId"`
	Timestamp int64  `json:"Timestamp,omitzero"` // queries only
}

// record is one consumption of a MsgId; there are several if it was sent again
// after 24 h.
type record struct {
	row    row
	room   string
	game   string
	at     time.Time
	hidden bool // a query does not see it
}

// account is what is known of one MsgId.
type account struct {
	records []record
	effects int
}

// recordsMax bounds the records of one MsgId: one a day for the 90 days that a query
// may look back.
const recordsMax = 90

// ledger tells which effect was applied how often. It is kept apart from memory: a
// memory that forgets must not take the evidence with it.
type ledger struct {
	accounts map[string]*account
	order    fifo[string] // by first sight
	limit    int
	forgot   uint64 // accounts dropped because there were too many

	effects ring[Effect]
}

func newLedger(accounts, effects int) ledger {
	return ledger{accounts: make(map[string]*account), limit: accounts, effects: newRing[Effect](effects)}
}

func (l *ledger) account(id string) *account {
	if a := l.accounts[id]; a != nil {
		return a
	}
	if len(l.accounts) >= l.limit {
		delete(l.accounts, l.order.pop())
		l.forgot++
	}
	a := &account{}
	l.accounts[id] = a
	l.order.push(id)
	return a
}

// apply gives the effect once more, and returns how often it was given.
func (l *ledger) apply(e Effect) int {
	a := l.account(e.MsgID)
	a.effects++
	e.Times = a.effects
	l.effects.add(func(seq uint64) Effect {
		e.Seq = seq
		return e
	})
	return a.effects
}

// note keeps the outcome of a consumption for queries.
func (l *ledger) note(id string, r record) {
	a := l.account(id)
	if len(a.records) == recordsMax {
		a.records = a.records[1:]
	}
	a.records = append(a.records, r)
}

// Effects is how often the MsgId had its effect: 1 is right, 0 not given, more than 1
// given again. It knows the newest [MemoryChoices.IDs] MsgIds.
func (s *Server) Effects(msgID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.ledger.accounts[msgID]; a != nil {
		return a.effects
	}
	return 0
}

// Ledger lists effects with Seq greater than since, oldest first, at most limit. The
// oldest may have been dropped, see [MemoryChoices.Effects]: then the first Seq is
// greater than since+1.
func (s *Server) Ledger(since uint64, limit int) []Effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.effects.after(since, limit)
}

// Tally adds up all rooms.
func (s *Server) Tally() Tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tally
}

// Result is what a query would say of a MsgId.
type Result struct {
	Result    int       `json:"result"`
	Message   string    `json:"message"`
	Timestamp int64     `json:"timestamp"` // the gift's own, Unix ms
	At        time.Time `json:"at"`        // when it was consumed
	Room      string    `json:"room"`
	Game      string    `json:"mini_game_id"`
	Hidden    bool      `json:"hidden"` // queries do not see it
}

// Results lists the outcomes of a MsgId, oldest first: none if it was never
// consumed, several if it was consumed again after [MemoryChoices.Remember].
func (s *Server) Results(msgID string) []Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.ledger.accounts[msgID]
	if a == nil {
		return nil
	}
	list := make([]Result, len(a.records))
	for i, r := range a.records {
		list[i] = Result{
			Result: r.row.Result, Message: r.row.Msg, Timestamp: r.row.Timestamp, At: r.at,
			Room: r.room, Game: r.game, Hidden: r.hidden,
		}
	}
	return list
}

// ring keeps the newest items, numbered from 1.
type ring[T any] struct {
	items []T
	next  uint64 // number of the next item
	limit int
}

func newRing[T any](limit int) ring[T] { return ring[T]{next: 1, limit: limit} }

// add makes the next item from its number and returns that.
func (r *ring[T]) add(item func(seq uint64) T) uint64 {
	seq := r.next
	r.next++
	if len(r.items) < r.limit {
		r.items = append(r.items, item(seq))
	} else {
		r.items[r.index(seq)] = item(seq)
	}
	return seq
}

func (r *ring[T]) index(seq uint64) int { return int((seq - 1) % uint64(r.limit)) }

// at returns the item of that number, nil if it was dropped or never there.
func (r *ring[T]) at(seq uint64) *T {
	if seq == 0 || seq >= r.next || seq+uint64(len(r.items)) < r.next {
		return nil
	}
	return &r.items[r.index(seq)]
}

// dropped is how many items are gone.
func (r *ring[T]) dropped() uint64 { return r.next - 1 - uint64(len(r.items)) }

// after returns at most limit items with numbers greater than since.
func (r *ring[T]) after(since uint64, limit int) []T {
	since = max(since, r.dropped())
	var list []T
	for seq := since + 1; seq < r.next && len(list) < limit; seq++ {
		list = append(list, *r.at(seq))
	}
	return list
}

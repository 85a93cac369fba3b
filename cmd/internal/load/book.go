package load

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// book holds what became of a worker's gifts, as their givers and viewers heard it. It
// finds what contradicts itself at once, and is compared with the hub's ledger at the
// end. It knows no socket, and no clock.
type book struct {
	prefix string // of all ids
	blame  *blame

	mu    sync.Mutex // guards all below
	gifts []gift     // by serial
}

// who is a viewer in its room.
type who struct{ room, user string }

// gift is one gift. 160 bytes x GiftsMax = 320 MB.
type gift struct {
	who
	due time.Duration

	// What its giver sent: on which connection first and last, and how often on the last.
	firstConn, lastConn, onLast uint32
	dropped                     bool // it is never sent
	// What its giver heard: results on heardOn.
	heardOn, results uint32
	accepted         bool
	msg              room.MsgID
	rejected         wire.Code
	fate             fate // the first one heard

	// What viewers heard.
	shown    uint8
	shownMsg room.MsgID
}

// fate is what a result says.
type fate struct {
	status string
	reason room.Reason
	code   int
}

func newBook(run string, worker int, b *blame) *book {
	return &book{prefix: run + "-" + strconv.Itoa(worker) + "-", blame: b}
}

// id is a gift's idempotency key.
func (b *book) id(serial int) string { return b.prefix + strconv.FormatInt(int64(serial), tagBase) }

// serial is whose id it is; ok is false for ids that are not of this book.
func (b *book) serial(id string) (int, bool) {
	if len(id) <= len(b.prefix) || id[:len(b.prefix)] != b.prefix {
		return 0, false
	}
	n, err := strconv.ParseInt(id[len(b.prefix):], tagBase, 32)
	return int(n), err == nil && n >= 0 && n < int64(len(b.gifts))
}

// open writes a gift down that is due.
func (b *book) open(giver who, due time.Duration) (serial int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gifts = append(b.gifts, gift{who: giver, due: due})
	return len(b.gifts) - 1
}

// drop gives a gift up that was not sent.
func (b *book) drop(serial int) {
	b.mu.Lock()
	b.gifts[serial].dropped = true
	b.mu.Unlock()
}

// sending notes that a gift is about to be written on its giver's connection of that
// number.
func (b *book) sending(serial int, conn uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := &b.gifts[serial]
	if g.firstConn == 0 {
		g.firstConn = conn
	}
	if g.lastConn != conn {
		g.lastConn, g.onLast = conn, 0
	}
	g.onLast++
}

// due is when a gift was due.
func (b *book) due(serial int) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gifts[serial].due
}

// silent are those of the gifts that were due before a time and have no answer at all.
func (b *book) silent(serials []int, before time.Duration) (out []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, serial := range serials {
		if g := &b.gifts[serial]; !g.accepted && g.due < before {
			out = append(out, serial)
		}
	}
	return out
}

// verdict is what an answer means to who measures.
type verdict struct {
	serial int
	due    time.Duration
	// news: it is the first of its sort for the gift.
	news bool
	// final: nothing more is awaited for the gift.
	final bool
	// implied: it is a result, and the accepted was not heard: a connection was lost
	// between the two.
	implied bool
}

// accept notes an accepted; ok is false where the gift is not known.
func (b *book) accept(giver who, e wire.Accepted) (v verdict, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g, v, ok := b.find(giver, e.ID, "accepted")
	if !ok {
		return v, false
	}
	v.news = !g.accepted
	if v.news && g.msg == (room.MsgID{}) {
		g.msg = e.MsgID
	}
	g.accepted = true
	if g.msg != e.MsgID {
		b.blame.add(g.mismatch(KindOtherResult, e.ID), "accepted says msg_id %v, before it was %v", e.MsgID, g.msg)
	}
	return v, true
}

// reject notes a rejected. A gift that was sent once is over; of one that was repeated
// the first sending may have been taken, and only asking again tells.
func (b *book) reject(giver who, e wire.Rejected) (v verdict, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g, v, ok := b.find(giver, e.ID, "rejected")
	if !ok || g.accepted || g.fate.status != "" {
		return v, false // a repeat that came too fast; the gift is what it is
	}
	if g.firstConn == g.lastConn && g.onLast == 1 {
		v.news, v.final = g.rejected == "", true
		g.rejected = e.Code
	}
	return v, true
}

// result notes a result that was heard on the giver's connection of that number.
func (b *book) result(giver who, e wire.Result, conn uint32) (v verdict, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g, v, ok := b.find(giver, e.ID, "result")
	if !ok {
		return v, false
	}
	heard := fate{status: e.Status, reason: e.Reason, code: e.Code}
	v.news, v.final = g.fate.status == "", true
	v.implied = v.news && !g.accepted
	if g.heardOn != conn {
		g.heardOn, g.results = conn, 0
	}
	g.results++
	switch {
	case g.rejected != "":
		b.blame.add(g.mismatch(KindRejectedGiven, e.ID), "%s after it was rejected with %s", e.Status, g.rejected)
	case v.news && !g.accepted && g.firstConn == conn:
		b.blame.add(g.mismatch(KindNotAccepted, e.ID), "%s, and no accepted before it", e.Status)
	case v.news && g.accepted && g.msg != e.MsgID, !v.news && (g.fate != heard || g.msg != e.MsgID):
		b.blame.add(g.mismatch(KindOtherResult, e.ID), "%+v of msg_id %v, before it was %+v of %v", heard, e.MsgID, g.fate, g.msg)
	case g.results > g.resultsMax(conn):
		b.blame.add(g.mismatch(KindRepeatedResult, e.ID), "result number %d on one connection, where the gift was sent %d times", g.results, g.onLast)
	}
	if v.news {
		g.fate, g.msg = heard, e.MsgID
		g.accepted = true // whether or not it was heard
	}
	return v, true
}

// resultsMax is how many results the connection may bring: one for each time that it
// asked, and one of what was decided while the viewer was away.
func (g *gift) resultsMax(conn uint32) uint32 {
	most := uint32(0)
	if g.lastConn == conn {
		most = g.onLast
	}
	if g.firstConn != conn {
		most++
	}
	return max(1, most)
}

// find returns the gift of an answer, under mu.
func (b *book) find(giver who, id, what string) (*gift, verdict, bool) {
	serial, ok := b.serial(id)
	if !ok || b.gifts[serial].who != giver {
		b.blame.add(Mismatch{Kind: KindUnknownAnswer, Room: giver.room, User: giver.user, Gift: id}, "%s of a gift that this viewer did not give", what)
		return nil, verdict{}, false
	}
	g := &b.gifts[serial]
	return g, verdict{serial: serial, due: g.due}, true
}

// show notes that a gifts event showed a gift.
func (b *book) show(roomID string, serial int, seen wire.Gift) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if serial >= len(b.gifts) || b.gifts[serial].who != (who{roomID, seen.UserID}) {
		b.blame.add(Mismatch{Kind: KindUnknownAnswer, Room: roomID, User: seen.UserID}, "a gifts event shows a gift that this viewer did not give")
		return
	}
	g := &b.gifts[serial]
	if g.shown < 2 {
		g.shown++
	}
	g.shownMsg = seen.MsgID
	if g.shown == 2 {
		b.blame.add(g.mismatch(KindShownTwice, b.id(serial)), "msg_id %v", seen.MsgID)
	}
}

// undecided is how many gifts are to be sent, or were and may still hear something.
func (b *book) undecided() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.gifts {
		if g := &b.gifts[i]; !g.dropped && g.rejected == "" && g.fate.status == "" {
			n++
		}
	}
	return n
}

func (g *gift) mismatch(kind Kind, id string) Mismatch {
	return Mismatch{Kind: kind, Room: g.room, User: g.user, Gift: id}
}

// Row is what the run knows of one gift in the end, to be compared with the ledger.
type Row struct {
	ID, Room, User string
	MsgID          string // empty: never told
	Accepted       bool
	Rejected       string // code; empty: it was not
	Status, Reason string // of the result; empty: there was none
	Code           int
}

// close finds what is still missing when everything has been heard, and returns the
// gifts that were sent, in lists of at most size. Shows are judged in rooms where every
// viewer of this process heard every event: complete.
func (b *book) close(size int, complete func(room string) bool, each func([]Row) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	rows := make([]Row, 0, size)
	for i := range b.gifts {
		g := &b.gifts[i]
		if g.firstConn == 0 {
			continue
		}
		b.judge(g, b.id(i), complete(g.room))
		row := Row{
			ID: b.id(i), Room: g.room, User: g.user, Accepted: g.accepted, Rejected: string(g.rejected),
			Status: g.fate.status, Reason: string(g.fate.reason), Code: g.fate.code,
		}
		if g.msg != (room.MsgID{}) {
			row.MsgID = g.msg.String()
		}
		if rows = append(rows, row); len(rows) == size {
			if err := each(rows); err != nil {
				return err
			}
			rows = make([]Row, 0, size) // the others are theirs now
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return each(rows)
}

// judge says what is missing of one gift.
func (b *book) judge(g *gift, id string, complete bool) {
	delivered := room.Delivered.String()
	switch {
	case g.rejected == "" && g.fate.status == "" && g.accepted:
		b.blame.add(g.mismatch(KindNoResult, id), "msg_id %v was accepted and never decided", g.msg)
	case g.rejected == "" && g.fate.status == "":
		b.blame.add(g.mismatch(KindUnanswered, id), "sent %s, neither accepted nor rejected", times(g.onLast))
	}
	switch {
	case g.shown > 0 && (g.fate.status != delivered || g.shownMsg != g.msg):
		b.blame.add(g.mismatch(KindShownOther, id), "shown to all as %v; its giver heard %q of %v", g.shownMsg, g.fate.status, g.msg)
	case g.shown == 0 && g.fate.status == delivered && complete:
		b.blame.add(g.mismatch(KindNotShown, id), "msg_id %v was delivered, and no gifts event showed it", g.msg)
	}
}

func times(n uint32) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

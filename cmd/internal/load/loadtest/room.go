package loadtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
	domain "github.com/giftwire/giftwire/room"
)

// room decides each gift as soon as it comes. It is guarded by the hub's mu.
type room struct {
	name     string
	fault    Fault
	taken    int      // gifts
	events   [][]byte // gifts events, by sequence - 1
	rows     []row
	counters counters
	gifts    map[string]wire.Result // by user and id
	viewers  []*viewer
	deaf     *viewer         // hears nothing more
	mute     map[string]bool // by user and id: no answer, ever
}

type row struct {
	MsgID  domain.MsgID  `json:"msg_id"`
	ID     string        `json:"id"`
	UserID string        `json:"user_id"`
	Status string        `json:"status"`
	Code   int           `json:"code"`
	Reason domain.Reason `json:"reason"`
}

type counters struct {
	Accepted   int `json:"accepted"`
	Delivered  int `json:"delivered"`
	Failed     int `json:"failed"`
	Unresolved int `json:"unresolved"`
	Pending    int `json:"pending"`
}

func newRoom(name string, fault Fault) *room {
	return &room{name: name, fault: fault, rows: []row{}, gifts: make(map[string]wire.Result), mute: make(map[string]bool)}
}

func (r *room) seq() uint64 { return uint64(len(r.events)) }

func (r *room) enter(v *viewer, since string) {
	welcome := wire.Welcome{Room: r.name, UserID: v.user, Epoch: "e1", Seq: r.seq()}
	if since != "" {
		_, _ = fmt.Sscan(since, &welcome.Seq) // the generator writes numbers
		welcome.Resumed = true
		switch r.fault {
		case StartsOver:
			welcome.Resumed, welcome.Seq = false, r.seq()
		case ResumesWrong:
			welcome.Seq = r.seq() / 2
		default:
		}
	}
	v.tell(welcome)
	for _, e := range r.events[welcome.Seq:] {
		v.queue <- e
	}
	r.viewers = append(r.viewers, v)
}

func (r *room) leave(v *viewer) {
	r.viewers = slices.DeleteFunc(r.viewers, func(one *viewer) bool { return one == v })
}

// give takes a gift.
func (r *room) give(v *viewer, f wire.GiftFrame) {
	key := v.user + "/" + f.ID
	if known, ok := r.gifts[key]; ok {
		v.tell(wire.Accepted{ID: f.ID, MsgID: known.MsgID}, known)
		return
	}
	if r.mute[key] {
		return
	}
	fault := None
	if r.taken == faultAt {
		fault = r.fault
	}
	r.taken++
	msg := domain.NewMsgID(1, r.name, v.user, f.ID)
	result := wire.Result{ID: f.ID, MsgID: msg, Status: "delivered", Reason: domain.ReasonOK}
	switch fault {
	case RejectsGiven:
		v.tell(wire.Rejected{ID: f.ID, Code: wire.CodeBusy})
		r.write(v.user, f.ID, result)
		return
	case Unanswered:
		r.mute[key] = true
		return
	case HidesGift:
		r.mute[key] = true
		r.write(v.user, f.ID, result)
		return
	case LosesAccepted:
	case Stalls:
		<-time.After(stallTime)
		v.tell(wire.Accepted{ID: f.ID, MsgID: msg})
	case OtherMsgID:
		v.tell(wire.Accepted{ID: f.ID, MsgID: domain.NewMsgID(2, r.name, v.user, f.ID)})
	default:
		v.tell(wire.Accepted{ID: f.ID, MsgID: msg})
	}
	if fault == NoResult {
		r.mute[key] = true
		r.counters.Accepted++
		r.counters.Pending++
		return
	}
	r.gifts[key] = result
	r.decide(v, f, fault, result)
}

// decide tells everybody of a gift's fate.
func (r *room) decide(v *viewer, f wire.GiftFrame, fault Fault, result wire.Result) {
	r.publish(fault, wire.Gift{
		MsgID: result.MsgID, UserID: v.user, GiftID: f.GiftID, Value: 10, Num: 1, Count: f.Count, ReceiverID: *f.Receiver,
		At: time.Now().UnixMilli(),
	})
	other := result
	other.Status, other.Code, other.Reason = "failed", 10003, domain.ReasonNotJoined
	told := []wire.Event{result}
	rows := []wire.Result{result}
	switch fault {
	case RepeatsResult:
		told = append(told, result)
	case OtherResult:
		told = append(told, other)
	case ShowsFailed:
		told, rows = []wire.Event{other}, []wire.Result{other}
	case StrangeAnswer:
		told = append(told, wire.Accepted{ID: "of somebody else", MsgID: result.MsgID})
	case SendsAway:
		told = append(told, wire.Bye{Code: wire.ByeRoomClosed})
	case NotInLedger:
		rows = nil
	case TwiceInLedger:
		rows = append(rows, result)
	case LedgerDiffers:
		rows = []wire.Result{other}
	case LedgerInvents:
		r.write(v.user, "never sent", result)
	default:
	}
	v.tell(told...)
	for _, one := range rows {
		r.write(v.user, f.ID, one)
	}
}

// write writes one row of the ledger, and counts it.
func (r *room) write(user, id string, result wire.Result) {
	r.rows = append(r.rows, row{result.MsgID, id, user, result.Status, result.Code, result.Reason})
	r.counters.Accepted++
	if result.Status == "delivered" {
		r.counters.Delivered++
	} else {
		r.counters.Failed++
	}
}

// publish tells all viewers of a delivered gift; faults are for one of them.
func (r *room) publish(fault Fault, g wire.Gift) {
	if fault == NotShown {
		return
	}
	event := wire.Gifts{Seq: r.seq() + 1, Gifts: []wire.Gift{g}}
	if fault == ShownTwice {
		event.Gifts = append(event.Gifts, g)
	}
	raw := wire.Encode(event)
	r.events = append(r.events, raw)
	for i, v := range r.viewers {
		if i == 0 && fault == LosesEnd {
			r.deaf = v
		}
		if v == r.deaf {
			continue
		}
		if i > 0 {
			fault = None
		}
		v.hear(fault, event, raw)
	}
}

// hear is one viewer's gifts event, or what a fault makes of it.
func (v *viewer) hear(fault Fault, event wire.Gifts, raw []byte) {
	switch fault {
	case SkipsSeq:
	case Lagged:
		v.tell(wire.Lagged{From: event.Seq, To: event.Seq})
	case BadLagged:
		v.tell(wire.Lagged{From: event.Seq + 1, To: event.Seq + 1})
	case OtherContent:
		changed := event.Gifts[0]
		changed.Nickname = "somebody else"
		v.tell(wire.Gifts{Seq: event.Seq, Gifts: []wire.Gift{changed}})
	case NoFrame:
		v.queue <- []byte(`5`)
	case RepeatsSeq:
		v.queue <- raw
		v.queue <- raw
	default:
		v.queue <- raw
	}
}

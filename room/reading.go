package room

// reading is what an answer's rows say of one gift.
type reading struct {
	Row
	found  bool
	native bool // the row's time is the gift's, or none was given
	clash  bool // rows contradict each other
}

// take folds a row in. Equal rows are one. Rows that contradict each other are no
// result at all: the gift is not given again, not failed, and looked up, because
// whichever row we believed, the other could be the true one.
//
// A query may tell of several gifts under one id, each with the time it was sent with
// (ZEGO.md 2.1). Ours keeps one time for its life, so where a row has it, rows with
// another time are not about this gift. Where none has it, all count: better a gift
// that a person looks at than one that is taken for not given.
func (r *reading) take(row Row, at int64) {
	native := row.At == 0 || row.At == at
	switch {
	case !r.found, native && !r.native:
		*r = reading{Row: row, found: true, native: native}
	case native == r.native && (row.Class != r.Class || row.Result != r.Result):
		r.clash = true
	}
}

// finding is what the answer says of the gift.
func (r *reading) finding(a *Answer) finding {
	switch {
	case a.Outcome == NotTaken && a.Class == ClassBadRequest:
		return badRequest
	case a.Outcome == NotTaken:
		return refusal
	case a.Outcome != Consumed:
		return silence
	case !r.found:
		return noRow
	case r.clash:
		return unclear
	}
	switch r.Class {
	case ResultDelivered:
		return given
	case ResultNotJoined:
		return notJoined
	case ResultNoSuchGift:
		return noSuchGift
	case ResultPending:
		return processing
	default:
		return unclear
	}
}

// readings folds the rows of an answer, one reading a gift of the call. Rows of
// gifts that were not in the call, or are decided already, fall away. Rows count only
// in an answer that consumed the call.
func (c *Core) readings(f *flight, a *Answer) []reading {
	rs := make([]reading, len(f.gifts))
	if a.Outcome != Consumed {
		return rs
	}
	for _, row := range a.Rows {
		g := c.book.find(row.MsgID)
		if g == nil || g.stage != flying || g.seat.call != f.id {
			continue
		}
		rs[g.seat.index].take(row, g.gift.At)
	}
	return rs
}

package load

// finish judges who is where, ends all connections by part, and tells what the book
// holds. heads are the newest sequences of the rooms in the whole run.
func (w *worker) finish(heads map[string]uint64, tell func(*report) error, part func()) error {
	for _, v := range w.viewers {
		at, seq, head := v.state(), v.seq.Load(), heads[v.board.room]
		one := Mismatch{Room: v.board.room, User: v.user}
		switch {
		case at.goodbye != "":
			one.Kind = KindNotBack
			w.blame.add(one, "was told not to come back: %s", at.goodbye)
		case at.conn == nil || at.welcomed == 0:
			one.Kind = KindNotBack
			w.blame.add(one, "was not connected in the end; it had heard %d", seq)
		case seq < head:
			one.Kind = KindIncomplete
			w.blame.add(one, "heard up to %d, others up to %d", seq, head)
		}
	}
	part()
	if err := w.tell(true, tell); err != nil {
		return err
	}
	whole := make(map[string]bool)
	for _, v := range w.viewers { // all have ended: their chains are nobody's
		if v.chain.lagged == 0 && v.chain.place.Seq >= heads[v.board.room] {
			whole[v.board.room] = true
		}
	}
	err := w.book.close(rowsMax, func(room string) bool { return whole[room] }, func(rows []Row) error {
		return tell(&report{Rows: rows})
	})
	if err != nil {
		return err
	}
	return tell(&report{Done: &done{Found: w.blame.take()}})
}

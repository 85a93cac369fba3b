package sim

import "time"

// nemesis plans the large faults of a run until the end.
func (w *World) nemesis(end time.Duration) {
	l := w.loop
	pace := pick(l, []time.Duration{500 * time.Millisecond, 2 * time.Second, 6 * time.Second})
	var next func()
	next = func() {
		if l.now() > end || w.healed {
			return
		}
		w.strike()
		l.in(l.between(pace/4, 2*pace), nil, next)
	}
	l.in(l.between(0, pace), nil, next)
}

// strike does one of them.
func (w *World) strike() {
	l := w.loop
	if len(w.processes) == 0 {
		return
	}
	p := pick(l, w.processes)
	if w.owner != nil && !w.owner.p.dead && l.luck.upTo(2) == 0 {
		p = w.owner.p // mostly where it hurts
	}
	switch l.luck.upTo(14) {
	case 0, 1:
		w.crash(p)
	case 2:
		w.crashServer(l.between(100*time.Millisecond, 5*time.Second))
	case 3:
		if !w.embedded {
			w.tally.Freezes++
			p.freeze(l.between(100*time.Millisecond, 8*time.Second))
		}
	case 4:
		if !w.embedded {
			w.tally.Cuts++
			p.disconnect(l.between(100*time.Millisecond, 6*time.Second))
		}
	case 5:
		w.server.stall = pick(l, []time.Duration{0, 5 * time.Millisecond, 300 * time.Millisecond, 1500 * time.Millisecond})
		l.note("fsync takes %v more", w.server.stall)
	case 6:
		w.server.full = pick(l, []float64{0, 0.85, 0.93})
		l.note("streams are %v full", w.server.full)
	case 7:
		p.skew = pick(l, []int64{0, -3_000, 3_000, -3_600_000, 30_000})
		l.note("%s's clock is %d ms off", p.incarnation, p.skew)
	case 8:
		if w.owner != nil {
			w.owner.drain()
		}
	case 9:
		w.changeGame(pick(l, w.rooms))
	default:
		w.turn(pick(l, w.rooms))
	}
}

// changeGame changes what a room plays: a round ends or begins, or the platform switches.
func (w *World) changeGame(roomID string) {
	if w.loop.luck.upTo(4) == 0 {
		w.games[roomID] = pick(w.loop, []string{gameA, gameB})
		w.loop.note("%s plays %s", roomID, w.games[roomID])
		return
	}
	w.round(roomID, !w.zego.running[roomID])
}

// turn turns a room's weather.
func (w *World) turn(roomID string) {
	l := w.loop
	w.tally.Weather++
	wx := w.zego.weather[roomID]
	*wx = weather{}
	part := func() float64 { return float64(1+l.luck.upTo(10)) / 10 }
	switch l.luck.upTo(9) {
	case 0:
		wx.away = true
	case 1:
		wx.refused = true
	case 2:
		wx.lost = part()
	case 3:
		wx.unheard = part()
	case 4:
		wx.slow = part()
	case 5:
		wx.code = part()
	case 6:
		wx.odd = part() / 2
	case 7:
		wx.rows = part()
	default:
		wx.lost, wx.unheard, wx.slow, wx.code, wx.odd, wx.rows = part()/4, part()/4, part()/4, part()/4, part()/8, part()/4
	}
	l.note("%s: weather %+v", roomID, *wx)
	l.in(l.between(time.Second, 20*time.Second), nil, func() { *wx = weather{} })
}

package audience

import "github.com/giftwire/giftwire/room"

// promises are the gifts of one connection that are not answered yet. Most of the time
// there are none.
type promises struct {
	open map[promise]*waiting // nil: none
}

// promise names a gift of the connection. Another content under the same id is another
// submission, whose answer is conflict.
type promise struct {
	id      string
	content room.Content
}

// waiting is how many frames wait for an answer to the same gift, and to how many of
// them its result has brought accepted already: one at most.
type waiting struct{ frames, told int }

// expect adds a frame that waits. Their number is bounded by the user's rate and the
// intake's bound of gifts in flight.
func (p *promises) expect(key promise) {
	if p.open == nil {
		p.open = make(map[promise]*waiting, 1)
	}
	if w := p.open[key]; w != nil {
		w.frames++
		return
	}
	p.open[key] = &waiting{frames: 1}
}

// keep ends the waiting of one frame, and reports whether accepted was sent for it
// already.
func (p *promises) keep(key promise) (told bool) {
	w := p.open[key]
	if w == nil {
		return false
	}
	if told = w.told > 0; told {
		w.told--
	}
	if w.frames--; w.frames == 0 {
		delete(p.open, key)
	}
	if len(p.open) == 0 {
		p.open = nil
	}
	return told
}

// overtaken reports whether the gift's result, which is there, needs an accepted before
// it.
func (p *promises) overtaken(key promise) bool {
	w := p.open[key]
	if w == nil || w.told > 0 {
		return false
	}
	w.told = 1
	return true
}

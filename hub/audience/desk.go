package audience

import "github.com/giftwire/giftwire/hub/wire"

// desk is what is worked on while frames are written: pooled, so that an idle member or
// room has none.
type desk struct {
	items   []item
	batches []batch
	buf     []byte
}

// deskMax is the largest buffer that is kept for the next writer: most frames are a
// few hundred bytes.
const deskMax = 64 << 10

// frame makes the frame of the items' events.
func (d *desk) frame() []byte {
	d.buf = d.appendFrame(d.buf[:0])
	return d.buf
}

// appendFrame appends the frame of the items' events.
func (d *desk) appendFrame(dst []byte) []byte {
	size := len(d.items) + 1 // brackets and commas
	for i := range d.items {
		size += len(d.items[i].event)
	}
	dst = wire.AppendTextHeader(dst, size)
	for i := range d.items {
		dst = append(dst, separator(i))
		dst = append(dst, d.items[i].event...)
	}
	return append(dst, ']')
}

func separator(i int) byte {
	if i == 0 {
		return '['
	}
	return ','
}

// batch are entries that go out together.
type batch struct {
	entries []entry
	frame   []byte // of all of them; nil: they have none
	pos     uint64 // of the first entry
	seq     uint64 // the lowest gifts event that they tell of; none: the highest number
}

// split makes batches of entries that are for everyone, each of them with a frame of
// about wire.FrameMax bytes at most. An entry that ends a connection has no frame.
func (d *desk) split(entries []entry) []batch {
	d.batches, d.buf = d.batches[:0], d.buf[:0]
	for first := 0; first < len(entries); {
		next := first + 1
		if entries[first].bye == nil {
			size := len(entries[first].bytes())
			for next < len(entries) && entries[next].bye == nil && size+len(entries[next].bytes()) <= wire.FrameMax {
				size += len(entries[next].event) + 1
				next++
			}
		}
		d.batches = append(d.batches, d.batch(entries[first:next]))
		first = next
	}
	return d.batches
}

// batch encodes entries. Its frame stays where it is when buf grows, and is not written
// to again.
func (d *desk) batch(entries []entry) batch {
	b := batch{entries: entries, pos: entries[0].pos, seq: ^uint64(0)}
	if entries[0].bye != nil {
		return b
	}
	d.items = d.items[:0]
	for i := range entries {
		d.items = append(d.items, entries[i].item)
		if k := entries[i].kind; k == kindGifts || k == kindLagged {
			b.seq = min(b.seq, entries[i].to)
		}
	}
	start := len(d.buf)
	d.buf = d.appendFrame(d.buf)
	b.frame = d.buf[start:len(d.buf):len(d.buf)]
	return b
}

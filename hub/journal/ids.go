package journal

import (
	"context"
	"encoding/binary"
	"fmt"
)

// A chunk of ids is binary, since there may be millions: the byte idFormat, then
// for each row 8 bytes of key, the difference of its sequence to the row before, as a
// signed varint, and a byte of how it ended. Rows in the log's order take 10 to 12
// bytes. Chunks of idFormatShort lack the last byte.
const (
	idFormatShort = 1
	idFormat      = 2
	// idRows is how many rows one chunk holds: at most 9 + binary.MaxVarintLen64 bytes
	// each, 304 KiB.
	idRows = 16 << 10
)

// AppendIDs stores rows, in chunks of 16,384, and returns when they are stored. A
// repeat after an error stores rows twice, which harms nothing.
func (p *Partition) AppendIDs(ctx context.Context, ids []ID) error {
	for len(ids) > 0 {
		n := min(len(ids), idRows)
		if _, err := p.save(ctx, idSubject(p.n), encodeIDs(ids[:n]), nil); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// LoadIDs calls each for every stored row that is not older than 26 h, in the
// order stored, with the time at which it was stored (Unix ms). What was
// acknowledged when it was called is there. Elsewhere than beside an embedded server it
// stores an empty chunk to learn where IDS ends, see [Partition.EndOfGifts].
func (p *Partition) LoadIDs(ctx context.Context, each func(storedAt int64, ids []ID) error) error {
	subject := idSubject(p.n)
	end, err := p.endOf(ctx, streamIDs, subject, encodeIDs(nil))
	if err != nil {
		return err
	}
	return p.j.readThrough(ctx, span{stream: streamIDs, subject: subject, upTo: end}, func(m message) error {
		ids, err := decodeIDs(m.data)
		if err != nil {
			return fmt.Errorf("journal: %s sequence %d: %w", m.subject, m.seq, err)
		}
		return each(m.at.UnixMilli(), ids)
	})
}

func encodeIDs(ids []ID) []byte {
	data := make([]byte, 1, 1+len(ids)*(8+3+1))
	data[0] = idFormat
	var prev uint64
	for _, id := range ids {
		data = binary.BigEndian.AppendUint64(data, id.Key)
		data = binary.AppendVarint(data, int64(id.Seq-prev)) //nolint:gosec // wraps, and back again
		data = append(data, id.End)
		prev = id.Seq
	}
	return data
}

// decodeIDs reads a chunk. Its errors wrap [ErrFormat].
func decodeIDs(data []byte) ([]ID, error) {
	if len(data) == 0 || data[0] != idFormat && data[0] != idFormatShort {
		return nil, fmt.Errorf("%w: a chunk of ids of another format", ErrFormat)
	}
	ends := int(data[0] - idFormatShort) // bytes
	data = data[1:]
	ids := make([]ID, 0, len(data)/9)
	var prev uint64
	for len(data) > 0 {
		if len(data) < 9 {
			return nil, fmt.Errorf("%w: a chunk of ids is cut off", ErrFormat)
		}
		key := binary.BigEndian.Uint64(data)
		diff, n := binary.Varint(data[8:])
		if n <= 0 || len(data) < 8+n+ends {
			return nil, fmt.Errorf("%w: a chunk of ids is cut off", ErrFormat)
		}
		prev += uint64(diff) //nolint:gosec // wraps, and back again
		id := ID{Key: key, Seq: prev}
		if ends > 0 {
			id.End = data[8+n]
		}
		ids = append(ids, id)
		data = data[8+n+ends:]
	}
	return ids, nil
}

package journal

import "fmt"

// Encode returns the bytes of a record of GIFTS as they stand in the stream; Seq and
// StoredAt are the stream's, and not among them. It is for tools and simulators: who
// stores gifts submits them.
func (r *GiftRecord) Encode() ([]byte, error) {
	entries := make([]pending, len(r.Entries))
	size := envelopeMax
	for i, e := range r.Entries {
		data, err := encodeEntry(e)
		if err != nil {
			return nil, err
		}
		entries[i].data = data
		size += len(data) + 1
	}
	if size > recordMax {
		return nil, fmt.Errorf("%w: a record of %d bytes, at most %d fit", ErrTooLarge, size, recordMax)
	}
	return appendGiftRecord(nil, r.Node, r.Incarnation, r.Number, entries), nil
}

// DecodeGiftRecord reads what [GiftRecord.Encode] wrote. Its errors wrap [ErrFormat].
func DecodeGiftRecord(data []byte) (GiftRecord, error) { return decodeGiftRecord(data) }

// Encode returns the bytes of a record of OUTCOMES as they stand in the stream. prev is
// the sequence that the writer expects to be the partition's last. It is for tools and
// simulators: who owns a partition appends.
func (r *OutcomeRecord) Encode(prev uint64) ([]byte, error) { return encodeOutcome(*r, prev) }

// DecodeOutcome reads what [OutcomeRecord.Encode] wrote, and prev. Its errors wrap
// [ErrFormat].
func DecodeOutcome(data []byte) (rec OutcomeRecord, prev uint64, err error) {
	return decodeOutcome(data)
}

// EncodeIDs returns rows of the memory of ids as they stand in the stream, in one
// chunk.
func EncodeIDs(ids []ID) []byte { return encodeIDs(ids) }

// DecodeIDs reads what [EncodeIDs] wrote. Its errors wrap [ErrFormat].
func DecodeIDs(data []byte) ([]ID, error) { return decodeIDs(data) }

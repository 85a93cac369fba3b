package hub

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/fnv"

	"github.com/giftwire/giftwire/hub/owner"
)

// A ledger cursor is opaque to clients. Inside: a version byte, a check of the
// room, a check of the streams' epoch, the OUTCOMES sequence and the place in the
// record, as base64url. The checks notice a cursor that was kept for another room
// (400), and one of streams that were made anew, whose sequences mean other records
// (410). They are no secret and no signature: a forged cursor reads what its
// bearer may read anyway.

// cursorVersion is the first byte, so that the form can change.
const cursorVersion = 1

// Errors of parseCursor.
var (
	errBadCursor   = errors.New("hub: not a cursor of this room")
	errOtherLedger = errors.New("hub: the cursor is of a ledger that is gone")
)

// formatCursor writes the cursor of a room's ledger.
func formatCursor(roomID, epoch string, c owner.Cursor) string {
	b := make([]byte, 0, 1+4+4+2*binary.MaxVarintLen64)
	b = append(b, cursorVersion)
	b = binary.BigEndian.AppendUint32(b, checksum(roomID))
	b = binary.BigEndian.AppendUint32(b, checksum(epoch))
	b = binary.AppendUvarint(b, c.Seq)
	b = binary.AppendVarint(b, int64(c.Index))
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads what formatCursor wrote for the same room and epoch; empty is
// the beginning of the ledger.
func parseCursor(roomID, epoch, s string) (owner.Cursor, error) {
	if s == "" {
		return owner.Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 11 || b[0] != cursorVersion || binary.BigEndian.Uint32(b[1:5]) != checksum(roomID) {
		return owner.Cursor{}, errBadCursor
	}
	seq, n := binary.Uvarint(b[9:])
	if n <= 0 {
		return owner.Cursor{}, errBadCursor
	}
	index, m := binary.Varint(b[9+n:])
	// 2^20: a record is below 1 MiB, so it holds fewer decisions.
	if m <= 0 || 9+n+m != len(b) || index < owner.WholeRecord || index > 1<<20 {
		return owner.Cursor{}, errBadCursor
	}
	if binary.BigEndian.Uint32(b[5:9]) != checksum(epoch) {
		return owner.Cursor{}, errOtherLedger
	}
	return owner.Cursor{Seq: seq, Index: int(index)}, nil
}

// checksum is FNV-1a, 32 bits.
func checksum(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // a hash never fails
	return h.Sum32()
}

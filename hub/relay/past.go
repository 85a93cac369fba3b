package relay

import (
	"context"
	"slices"

	"github.com/giftwire/giftwire/hub/owner"
)

// Past reads a room's news back from the record upTo, oldest first, as far as the first
// one at the gifts event since, or as can be had: what has aged out is not in it, nor what
// is further back than 1,000 records or 10,000 decisions. It reads the log record by
// record, and blocks for that. Where it ends early the error says why, and the news are what was read.
func (f *Follower) Past(ctx context.Context, roomID string, upTo, since uint64) ([]owner.News, error) {
	var found []owner.News
	decisions := 0
	for at := upTo; at > 0 && len(found) < repairRecords && decisions < repairDecisions; {
		d, err := f.outcome(ctx, roomID, at)
		if err != nil {
			slices.Reverse(found)
			return found, err
		}
		if d == nil || d.Seq < since {
			break
		}
		n := newsAt(roomID, at, d)
		found = append(found, n)
		decisions += len(n.Decisions)
		at = d.Prev
	}
	slices.Reverse(found)
	return found, nil
}

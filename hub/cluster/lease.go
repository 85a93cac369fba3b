package cluster

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/journal"
)

// The bucket of leases: one key a node, named like it.
const (
	leasesName = "NODES"
	// leasesBytes bounds the bucket: 1,000 nodes of below 200 bytes, five times over.
	leasesBytes = 1 << 20
	// leaseBytes bounds a lease with its headers.
	leaseBytes = 1 << 10
)

// leases is where nodes keep their leases: the bucket NODES, or what a test puts in its
// place.
type leases interface {
	// Write stores a lease over its revision last, 0: there is none, and returns the new
	// revision; errMoved if another one is the newest. With any other error it may be
	// stored.
	Write(ctx context.Context, node string, value []byte, last uint64) (uint64, error)
	// End takes a lease away, as Write does.
	End(ctx context.Context, node string, last uint64) error
	// Newest reads a lease as the leader has it; nil: it was taken away, or never there.
	Newest(ctx context.Context, node string) (value []byte, revision uint64, err error)
	// Watch tells of all leases, first as they are, then as they change.
	Watch(ctx context.Context) (jetstream.KeyWatcher, error)
}

// errMoved: the revision is not the newest.
var errMoved = errors.New("cluster: the lease has moved")

// leaseBucket is the real one.
type leaseBucket struct {
	kv      jetstream.KeyValue
	journal *journal.Journal
}

var _ leases = leaseBucket{}

// Write implements leases.
func (b leaseBucket) Write(ctx context.Context, node string, value []byte, last uint64) (uint64, error) {
	revision, err := b.kv.Update(ctx, node, value, last)
	return revision, moved(err)
}

// End implements leases.
func (b leaseBucket) End(ctx context.Context, node string, last uint64) error {
	return moved(b.kv.Delete(ctx, node, jetstream.LastRevision(last)))
}

// Newest implements leases.
func (b leaseBucket) Newest(ctx context.Context, node string) ([]byte, uint64, error) {
	return b.journal.LeaderValue(ctx, leasesName, node)
}

// Watch implements leases.
func (b leaseBucket) Watch(ctx context.Context) (jetstream.KeyWatcher, error) {
	return b.kv.WatchAll(ctx)
}

// leasesBucket is the bucket NODES. It is kept in memory: leases are worth nothing after
// their servers have ended.
func leasesBucket() journal.Bucket {
	return journal.Bucket{Name: leasesName, MaxBytes: leasesBytes, ValueBytes: leaseBytes, Memory: true}
}

// noBucket reports whether there is no bucket: its only server was started anew.
func noBucket(err error) bool { return errors.Is(err, jetstream.ErrStreamNotFound) }

func moved(err error) error {
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return errors.Join(errMoved, err)
	}
	return err
}

package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// Bucket is a key-value bucket beside the streams.
type Bucket struct {
	Name       string
	MaxBytes   int64
	ValueBytes int32 // the largest value, headers included
	// Memory keeps it in the servers' memory: for what is of no use after they ended.
	Memory bool
}

// KeyValue makes the bucket, with one value a key and the streams' replicas, or
// verifies that it is so: else [ErrDrift]. It repeats while nobody answers, as while a
// cluster elects, for a minute at most; ctx may be shorter.
func (j *Journal) KeyValue(ctx context.Context, b Bucket) (jetstream.KeyValue, error) {
	storage := jetstream.FileStorage
	if b.Memory {
		storage = jetstream.MemoryStorage
	}
	want := jetstream.StreamConfig{
		Name: "KV_" + b.Name, Subjects: []string{"$KV." + b.Name + ".>"}, MaxBytes: b.MaxBytes,
		Storage: storage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxMsgs: -1, MaxConsumers: -1, MaxMsgsPerSubject: 1, MaxMsgSize: b.ValueBytes,
		Duplicates: j.tuning.window, DenyDelete: true, AllowRollup: true, AllowDirect: true,
		Metadata: map[string]string{metaFormat: strconv.Itoa(recordFormat)},
	}
	ctx, cancel := context.WithTimeout(ctx, openMax)
	defer cancel()
	for {
		kv, err := j.tryKeyValue(ctx, want, b.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			if err = j.create(ctx, want); err == nil || errors.Is(err, errAgain) {
				continue
			}
		}
		if err == nil {
			return kv, nil
		}
		if !transient(err) {
			return nil, fmt.Errorf("journal: bucket %s: %w", b.Name, err)
		}
		if late := j.pause(ctx, retryMost); late != nil {
			return nil, fmt.Errorf("journal: bucket %s: %w", b.Name, errors.Join(err, late))
		}
	}
}

// tryKeyValue is one attempt to bind a bucket that is there.
func (j *Journal) tryKeyValue(ctx context.Context, want jetstream.StreamConfig, name string) (jetstream.KeyValue, error) {
	ctx, cancel := context.WithTimeout(ctx, createMax)
	defer cancel()
	s, err := j.js.Stream(ctx, want.Name)
	if err != nil {
		return nil, err
	}
	if drifts := compareStream(s.CachedInfo().Config, want); len(drifts) > 0 {
		return nil, &DriftError{Drifts: drifts}
	}
	return j.js.KeyValue(ctx, name)
}

// LeaderValue reads a key's newest value from the bucket's leader: it sees every write
// that was acknowledged, which [jetstream.KeyValue.Get] need not, since any replica
// answers that. value is nil for a key that was deleted or never written. It repeats
// the question while nobody answers; ctx bounds that.
func (j *Journal) LeaderValue(ctx context.Context, bucket, key string) (value []byte, revision uint64, err error) {
	m, err := j.leaderLast(ctx, "KV_"+bucket, "$KV."+bucket+"."+key)
	if err != nil {
		return nil, 0, err
	}
	if m.header.Get("KV-Operation") != "" { // DEL or PURGE
		return nil, m.seq, nil
	}
	return m.data, m.seq, nil
}

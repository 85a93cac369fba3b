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
}

// KeyValue makes the bucket, in files, with one value a key and the streams'
// replicas, or verifies that it is so: else [ErrDrift].
func (j *Journal) KeyValue(ctx context.Context, b Bucket) (jetstream.KeyValue, error) {
	want := jetstream.StreamConfig{
		Name: "KV_" + b.Name, Subjects: []string{"$KV." + b.Name + ".>"}, MaxBytes: b.MaxBytes,
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxMsgs: -1, MaxConsumers: -1, MaxMsgsPerSubject: 1, MaxMsgSize: b.ValueBytes,
		Duplicates: j.tuning.window, DenyDelete: true, AllowRollup: true, AllowDirect: true,
		Metadata: map[string]string{metaFormat: strconv.Itoa(recordFormat)},
	}
	for {
		s, err := j.js.Stream(ctx, want.Name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			if err := j.create(ctx, want); err != nil && !errors.Is(err, errAgain) {
				return nil, err
			}
			continue
		case err != nil:
			return nil, fmt.Errorf("journal: look at bucket %s: %w", b.Name, err)
		}
		if drifts := compareStream(s.CachedInfo().Config, want); len(drifts) > 0 {
			return nil, &DriftError{Drifts: drifts}
		}
		kv, err := j.js.KeyValue(ctx, b.Name)
		if err != nil {
			return nil, fmt.Errorf("journal: bind bucket %s: %w", b.Name, err)
		}
		return kv, nil
	}
}

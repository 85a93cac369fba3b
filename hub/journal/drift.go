package journal

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// Drift is one setting of a stream that is not what giftwire needs.
type Drift struct {
	Stream, Field, Have, Want string
}

// String says it for people.
func (d Drift) String() string {
	return fmt.Sprintf("%s.%s is %s, needed is %s", d.Stream, d.Field, d.Have, d.Want)
}

// DriftError names every setting of every stream that drifted. It is an
// [ErrDrift]. Nothing is mended silently: a stream that was changed by hand may
// already have lost what the change let go.
type DriftError struct {
	Drifts []Drift
}

// Error lists all drifts.
func (e *DriftError) Error() string {
	parts := make([]string, len(e.Drifts))
	for i, d := range e.Drifts {
		parts[i] = d.String()
	}
	return ErrDrift.Error() + ": " + strings.Join(parts, "; ")
}

// Unwrap is ErrDrift.
func (e *DriftError) Unwrap() error { return ErrDrift }

// The fields that [Retention.Resize] may change.
const (
	fieldMaxBytes = "max_bytes"
	fieldMaxAge   = "max_age"
)

func withoutSizes(drifts []Drift) []Drift {
	return slices.DeleteFunc(slices.Clone(drifts), func(d Drift) bool {
		return d.Field == fieldMaxBytes || d.Field == fieldMaxAge
	})
}

// compareStream compares every field of a stream's settings with what is needed,
// but for the ones that are the operator's: description, placement, and replicas
// (which a cluster may change while it grows). FirstSeq and Template only matter
// when a stream is made. Metadata that is not giftwire's is not looked at.
func compareStream(have, want jetstream.StreamConfig) []Drift {
	c := comparison{stream: want.Name}
	check(&c, "name", have.Name, want.Name)
	check(&c, "subjects", strings.Join(have.Subjects, " "), strings.Join(want.Subjects, " "))
	check(&c, "storage", have.Storage, want.Storage)
	check(&c, "retention", have.Retention, want.Retention)
	check(&c, "discard", have.Discard, want.Discard)
	check(&c, "discard_new_per_subject", have.DiscardNewPerSubject, want.DiscardNewPerSubject)
	check(&c, fieldMaxBytes, have.MaxBytes, want.MaxBytes)
	check(&c, fieldMaxAge, have.MaxAge, want.MaxAge)
	check(&c, "max_msgs", have.MaxMsgs, want.MaxMsgs)
	check(&c, "max_msgs_per_subject", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	check(&c, "max_msg_size", have.MaxMsgSize, want.MaxMsgSize)
	check(&c, "max_consumers", have.MaxConsumers, want.MaxConsumers)
	check(&c, "duplicate_window", have.Duplicates, want.Duplicates)
	check(&c, "no_ack", have.NoAck, want.NoAck)
	check(&c, "sealed", have.Sealed, want.Sealed)
	check(&c, "deny_delete", have.DenyDelete, want.DenyDelete)
	check(&c, "deny_purge", have.DenyPurge, want.DenyPurge)
	check(&c, "allow_rollup_hdrs", have.AllowRollup, want.AllowRollup)
	check(&c, "allow_direct", have.AllowDirect, want.AllowDirect)
	check(&c, "mirror_direct", have.MirrorDirect, want.MirrorDirect)
	check(&c, "allow_msg_ttl", have.AllowMsgTTL, want.AllowMsgTTL)
	check(&c, "subject_delete_marker_ttl", have.SubjectDeleteMarkerTTL, want.SubjectDeleteMarkerTTL)
	check(&c, "allow_msg_counter", have.AllowMsgCounter, want.AllowMsgCounter)
	check(&c, "allow_atomic", have.AllowAtomicPublish, want.AllowAtomicPublish)
	check(&c, "allow_msg_schedules", have.AllowMsgSchedules, want.AllowMsgSchedules)
	check(&c, "allow_batched", have.AllowBatchPublish, want.AllowBatchPublish)
	check(&c, "compression", have.Compression, want.Compression)
	// Async persistence would switch the fsync before the answer off.
	check(&c, "persist_mode", have.PersistMode, want.PersistMode)
	check(&c, "mirror", have.Mirror != nil, want.Mirror != nil)
	check(&c, "sources", len(have.Sources), len(want.Sources))
	check(&c, "subject_transform", have.SubjectTransform != nil, want.SubjectTransform != nil)
	check(&c, "republish", have.RePublish != nil, want.RePublish != nil)
	check(&c, "consumer_limits", have.ConsumerLimits, want.ConsumerLimits)
	for _, key := range slices.Sorted(maps.Keys(want.Metadata)) {
		check(&c, "metadata."+key, have.Metadata[key], want.Metadata[key])
	}
	return c.drifts
}

type comparison struct {
	stream string
	drifts []Drift
}

func check[T comparable](c *comparison, field string, have, want T) {
	if have != want {
		c.drifts = append(c.drifts, Drift{
			Stream: c.stream, Field: field, Have: fmt.Sprintf("%v", have), Want: fmt.Sprintf("%v", want),
		})
	}
}

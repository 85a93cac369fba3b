package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// ChunkMax is the most bytes of one blob of a snapshot.
	ChunkMax = recordMax
	// chunkNameMax is the longest name of one.
	chunkNameMax = 32
)

// SaveChunk stores a blob of at most [ChunkMax] bytes (else [ErrTooLarge]) under a
// name of [a-z0-9-]{1,32}, and returns when it is stored. A partition has at most
// 1,000 names. It repeats until ctx ends; a store that says no is an error at once.
func (p *Partition) SaveChunk(ctx context.Context, name string, data []byte) error {
	switch {
	case !validChunk(name):
		return fmt.Errorf("journal: chunk name %.64q is not [a-z0-9-]{1,%d}", name, chunkNameMax)
	case len(data) > ChunkMax:
		return fmt.Errorf("%w: a chunk of %d bytes, at most %d fit", ErrTooLarge, len(data), ChunkMax)
	}
	return p.save(ctx, snapshotSubject(p.n)+name, data)
}

// save publishes until it is stored. A repeat may store it twice, which harms
// neither chunks nor ids.
func (p *Partition) save(ctx context.Context, subject string, data []byte) error {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		err := p.trySave(ctx, subject, data)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, nats.ErrConnectionClosed):
			return ErrClosed
		case judge(err) == refused:
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if err := p.j.pause(ctx, wait); err != nil {
			return err
		}
	}
}

func (p *Partition) trySave(ctx context.Context, subject string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, max(p.j.cfg.Unanswered, time.Second))
	defer cancel()
	_, err := p.j.js.Publish(ctx, subject, data, jetstream.WithRetryAttempts(0))
	return err
}

// LoadChunks calls each for the newest blob of every name. What was acknowledged
// when it was called is there.
func (p *Partition) LoadChunks(ctx context.Context, each func(name string, data []byte) error) error {
	prefix := snapshotSubject(p.n)
	newest, err := p.j.leaderLast(ctx, streamSnapshots, prefix+"*")
	if err != nil || newest.seq == 0 {
		return err
	}
	var chunks []message
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		chunks, err = p.j.lastOfEach(ctx, streamSnapshots, prefix+"*", newest.seq)
		if err == nil {
			break
		}
		if !errors.Is(err, errNoAnswer) {
			return p.j.ended(err)
		}
		if err := p.j.pause(ctx, wait); err != nil {
			return err
		}
	}
	for _, m := range chunks {
		if err := each(strings.TrimPrefix(m.subject, prefix), m.data); err != nil {
			return err
		}
	}
	return nil
}

// lastOfEach reads the last record of every subject from one replica, which must
// know the stream up to atLeast; else errNoAnswer. It comes in pages of half a
// MiB; each page's replica is checked.
func (j *Journal) lastOfEach(ctx context.Context, stream, filter string, atLeast uint64) ([]message, error) {
	var all []message
	next := uint64(1)
	for {
		before := len(all)
		end, err := j.direct(ctx, stream, directGet{
			Seq: next, MultiLast: []string{filter}, Batch: batchRecords, MaxBytes: batchBytes,
		}, func(m message) error {
			all = append(all, m)
			next = m.seq + 1
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(all) == before && next > 1 {
			return all, nil // the page before ended exactly at the end
		}
		if end.upTo < atLeast {
			return nil, fmt.Errorf("%w: a replica knows %s up to %d, %d is stored", errNoAnswer, stream, end.upTo, atLeast)
		}
		if end.pending == 0 {
			return all, nil
		}
	}
}

func validChunk(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= chunkNameMax
}

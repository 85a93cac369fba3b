package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// ChunkMax is the most bytes of one blob of a snapshot.
	ChunkMax = recordMax
	// chunkNameMax is the longest name of one.
	chunkNameMax = 32
)

// blobs is what this Partition knows to be the newest of each name.
type blobs struct {
	mu     sync.Mutex
	loaded bool              // all are known: a name that is not here has none
	newest map[string]uint64 // sequences
}

// expect is the sequence that the name's newest blob must have; nil: any.
func (b *blobs) expect(name string) *uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	seq, known := b.newest[name]
	if !known && !b.loaded {
		return nil
	}
	return &seq
}

func (b *blobs) set(name string, seq uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.newest == nil {
		b.newest = make(map[string]uint64)
	}
	b.newest[name] = seq
}

// SaveChunk stores a blob of at most [ChunkMax] bytes (else [ErrTooLarge]) under a
// name of [a-z0-9-]{1,32}, and returns when it is stored. A partition has at most
// 1,000 names. It repeats until ctx ends; a store that says no is an error at once.
//
// After [Partition.LoadChunks] it stores only over what that has seen and this
// Partition has saved since, so that nobody who was away overwrites a newer snapshot
// part by part. Else it is [ErrFenced], and now this Partition knows of the other blob:
// whoever is sure to be the owner saves once more.
func (p *Partition) SaveChunk(ctx context.Context, name string, data []byte) error {
	switch {
	case !validChunk(name):
		return fmt.Errorf("journal: chunk name %.64q is not [a-z0-9-]{1,%d}", name, chunkNameMax)
	case len(data) > ChunkMax:
		return fmt.Errorf("%w: a chunk of %d bytes, at most %d fit", ErrTooLarge, len(data), ChunkMax)
	}
	subject := snapshotSubject(p.n) + name
	seq, err := p.save(ctx, subject, data, p.blobs.expect(name))
	if apiCode(err) == codeWrongLast {
		newest, lookErr := p.j.leaderLast(ctx, streamSnapshots, subject)
		switch {
		case lookErr != nil:
			return lookErr
		case bytes.Equal(newest.data, data): // an attempt without an answer landed
			err = nil
		default:
			err = fmt.Errorf("%w: chunk %s was written by somebody else", ErrFenced, name)
		}
		seq = newest.seq
	} else if err != nil {
		return err
	}
	p.blobs.set(name, seq)
	return err
}

// save publishes until it is stored, over the blob expected, if there is one. Repeats
// without an expectation have one id: a leader that was cut off from its peers would take
// each in, and throws them away one at a time, at more than a second each, when it is back
// (nats-server v2.15.2, processAppendEntry), without being a replica until then. It may be
// stored twice all the same, which harms neither chunks nor ids.
func (p *Partition) save(ctx context.Context, subject string, data []byte, expected *uint64) (uint64, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return 0, fmt.Errorf("journal: make an id: %w", err)
	}
	msg := &nats.Msg{Subject: subject, Data: data, Header: nats.Header{}}
	var opts []jetstream.PublishOpt
	if expected != nil {
		opts = append(opts, jetstream.WithExpectLastSequencePerSubject(*expected))
	} else {
		msg.Header.Set(jetstream.MsgIDHeader, id.String())
	}
	var stuck stuckID
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		seq, err := p.trySave(ctx, msg, opts)
		switch {
		case err == nil:
			return seq, nil
		case errors.Is(err, nats.ErrConnectionClosed):
			return 0, ErrClosed
		case apiCode(err) == codeWrongLast:
			return 0, err
		case judge(err) == refused:
			return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		case stuck.heard(err) >= p.j.tuning.inProcess:
			msg.Header.Set(jetstream.MsgIDHeader, stuck.next(id.String()))
		}
		if err := p.j.pause(ctx, wait); err != nil {
			return 0, err
		}
	}
}

func (p *Partition) trySave(ctx context.Context, msg *nats.Msg, opts []jetstream.PublishOpt) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, max(p.j.cfg.Unanswered, time.Second))
	defer cancel()
	ack, err := p.j.js.PublishMsg(ctx, msg, append(opts, jetstream.WithRetryAttempts(0))...)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// LoadChunks calls each for the newest blob of every name. What was acknowledged
// when it was called is there.
func (p *Partition) LoadChunks(ctx context.Context, each func(name string, data []byte) error) error {
	prefix := snapshotSubject(p.n)
	newest, err := p.j.leaderLast(ctx, streamSnapshots, prefix+"*")
	if err != nil {
		return err
	}
	known := make(map[string]uint64)
	if newest.seq == 0 {
		p.blobs.loadedAs(known)
		return nil
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
		known[strings.TrimPrefix(m.subject, prefix)] = m.seq
	}
	p.blobs.loadedAs(known)
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

// loadedAs notes all that there is.
func (b *blobs) loadedAs(newest map[string]uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.loaded, b.newest = true, newest
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

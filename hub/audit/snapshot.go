package audit

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json"
)

// headVersion is the version of a snapshot's head that this package reads.
const headVersion = 1

// head is what a snapshot says of a partition's open gifts: the only trace of a gift
// that has left GIFTS without being decided.
type head struct {
	Version int    `json:"v"`
	Read    uint64 `json:"read"` // GIFTS sequence read so far
	Last    uint64 `json:"last"` // OUTCOMES sequence covered
	Open    []byte `json:"open"` // open gifts' places, packed
}

// position is a place in GIFTS.
type position struct {
	seq   uint64
	index uint32
}

// readSnapshots reads the newest head of every partition.
func (a *auditor) readSnapshots(ctx context.Context) error {
	info, err := a.src.Info(ctx, streamSnapshots)
	if err != nil || info.Last < info.First {
		return err
	}
	for _, p := range a.partitions {
		m, err := a.src.Last(ctx, streamSnapshots, fmt.Sprint(snapshotSubject, p.n, ".head"))
		if err != nil {
			return err
		}
		if m.Seq == 0 {
			continue
		}
		h := new(head)
		if err := json.Unmarshal(m.Data, h); err != nil {
			a.problem(Problem{Kind: Unreadable, Partition: p.n, Detail: fmt.Sprintf("SNAPS %d: %v", m.Seq, err)})
			continue
		}
		if h.Version != headVersion {
			return fmt.Errorf("%w: SNAPS %d: version %d, this release reads %d", ErrFormat, m.Seq, h.Version, headVersion)
		}
		p.head = h
	}
	return nil
}

// judgeSnapshots looks for what the owner's snapshots knew and the streams do not: records
// at their ends, and gifts that were open, have left GIFTS since, and were never decided.
func (a *auditor) judgeSnapshots(context.Context) error {
	for _, p := range a.partitions {
		if p.head != nil && p.head.Read > a.gifted.Last {
			a.problem(Problem{Kind: Lost, Partition: p.n, Detail: fmt.Sprintf(
				"the snapshot has read GIFTS up to %d, its newest is %d", p.head.Read, a.gifted.Last)})
		}
		if p.head != nil && p.head.Last > a.decided.Last {
			a.problem(Problem{Kind: Lost, Partition: p.n, Detail: fmt.Sprintf(
				"the snapshot covers OUTCOMES up to %d, its newest is %d", p.head.Last, a.decided.Last)})
		}
	}
	a.judgeOpen()
	return nil
}

// judgeOpen is the part about the open gifts.
func (a *auditor) judgeOpen() {
	missing := make([]map[position]bool, len(a.partitions))
	some := false
	for i, p := range a.partitions {
		if p.head == nil || p.log.behind && p.log.prev > p.head.Last {
			continue // decisions after the snapshot have left OUTCOMES: nothing can be said
		}
		open, err := p.head.positions()
		if err != nil {
			a.problem(Problem{Kind: Unreadable, Partition: p.n, Detail: fmt.Sprintf("the snapshot's open gifts: %v", err)})
			continue
		}
		missing[i] = make(map[position]bool)
		for _, at := range open {
			if a.gaps.has(at.seq) {
				missing[i][at], some = true, true
			}
		}
	}
	if !some {
		return
	}
	for _, f := range a.gifts.all() {
		delete(missing[f.partition], position{f.seq, f.index})
	}
	for _, all := range a.reused {
		for i := range all {
			delete(missing[all[i].partition], position{all[i].seq, all[i].index})
		}
	}
	for i, set := range missing {
		for at := range set {
			a.problem(Problem{Kind: Lost, Partition: i, Detail: fmt.Sprintf(
				"a gift in GIFTS %d/%d was open in the snapshot up to OUTCOMES %d, and has left GIFTS undecided", at.seq, at.index, a.partitions[i].head.Last)})
		}
	}
}

// positions unpacks the places: ascending differences in varints, of the sequence and,
// within one sequence, of the index.
func (h *head) positions() ([]position, error) {
	var out []position
	var at position
	for in := bytes.NewReader(h.Open); in.Len() > 0; {
		step, err := binary.ReadUvarint(in)
		index, errIndex := binary.ReadUvarint(in)
		if err = errors.Join(err, errIndex); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if step > 0 {
			at = position{seq: at.seq + step}
		}
		at.index += uint32(index) //nolint:gosec // a place in a record of at most 1 MiB
		out = append(out, at)
	}
	return slices.Clip(out), nil
}

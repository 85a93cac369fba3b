package audit

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"strconv"
	"strings"
	"time"
)

// Times of the promises. They are written down here a second time, on purpose.
const (
	// remembered is how long an id surely names one gift (P4).
	remembered = 24 * time.Hour
	// forgotten is when it surely does not any more: the hub's memory has hours, of
	// which the begun one counts, and a restart dates ids by the snapshot that stored
	// them. An id used again between the two may be taken for either.
	forgotten = 26 * time.Hour
	// sendAge is how old a gift may be when it is sent (P3), and how long one whose
	// outcome is unknown is asked for: past it, it is decided. --gift-ttl is shorter.
	sendAge = 23 * time.Hour
	// slack is what a decision may take beyond it: queries, an append, a takeover.
	slack = 15 * time.Minute
	// clockSlack is how far the clocks of an owner and of NATS may be apart (ZEGO
	// refuses signatures that are off by 10 minutes; a well kept clock is off by ms).
	clockSlack = time.Minute
	// countMax is the largest count that the hub accepts.
	countMax = 100_000
)

// Options are what an audit may be told. The zero value is fine.
type Options struct {
	// Now is the time of the audit; zero: the present.
	Now time.Time
	// Progress, if set, hears how far a stream is read, up to once a record.
	Progress func(stream string, read, of uint64)
}

// Run reads the streams and recomputes what the hub promises of them. An error says that
// they could not be read; what is wrong in them is in the report.
func Run(ctx context.Context, src Source, o Options) (*Report, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	a := &auditor{
		src: src, options: o, seed: maphash.MakeSeed(),
		rooms: rooms{byName: make(map[string]uint32)}, gifts: newLedger(), reused: make(map[msgID][]fate),
		report: Report{Problems: []Problem{}, Partitions: []PartitionFigures{}, Counts: make(map[Kind]int64), Cut: make(map[string]uint64)},
	}
	// The order makes the audit of a running node right: what was open in a snapshot was
	// decided later, and what was decided was accepted before.
	for _, step := range []func(context.Context) error{
		a.layout, a.readSnapshots, a.readOutcomes, a.readGifts, a.judge, a.judgeSnapshots,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return a.finish(o.Now), nil
}

// auditor is one audit.
type auditor struct {
	src        Source
	options    Options
	seed       maphash.Seed
	partitions []*partition
	rooms      rooms
	gifts      ledger
	// reused has the earlier ones of several gifts of one id, which is rare.
	reused  map[msgID][]fate
	gaps    gaps // sequences that have left GIFTS
	gifted  Info // of GIFTS, as it was read
	decided Info // of OUTCOMES
	report  Report
}

// place writes where a gift stands.
func (f *fate) place() string { return fmt.Sprintf("GIFTS %d/%d", f.seq, f.index) }

// rooms numbers the rooms and knows where each stands in its partition's log.
type rooms struct {
	byName map[string]uint32
	all    []*roomState
}

func (r *rooms) at(name string) (uint32, *roomState) {
	n, ok := r.byName[name]
	if !ok {
		n = uint32(len(r.all)) //nolint:gosec // fewer than 4 billion rooms
		r.all = append(r.all, &roomState{name: name})
		r.byName[name] = n
	}
	return n, r.all[n]
}

// partition is what was read of one.
type partition struct {
	n       int
	figures Figures
	log     log
	// firstGift is its oldest retained record of GIFTS; Seq 0: none was read.
	firstGift retained
	looked    bool   // the oldest was asked for once more:
	purged    uint64 // its sequence then
	head      *head
}

// retained is a record by its place and time.
type retained struct {
	seq uint64
	at  time.Time
}

// layout asks how many partitions there are.
func (a *auditor) layout(ctx context.Context) error {
	info, err := a.src.Info(ctx, streamOutcomes)
	if err != nil {
		return err
	}
	const partitionsMax = 1024
	n, err := strconv.Atoi(info.Metadata["giftwire.partitions"])
	switch {
	case err != nil || n < 1 || n > partitionsMax:
		return fmt.Errorf("%w: %s does not say how many partitions there are", ErrNoStore, streamOutcomes)
	case info.Metadata["giftwire.format"] != strconv.Itoa(recordFormat):
		return fmt.Errorf("%w: format %.32q, this release reads %d", ErrFormat, info.Metadata["giftwire.format"], recordFormat)
	case info.Metadata["giftwire.hash"] != "fnv1a-64":
		return fmt.Errorf("%w: rooms are hashed by %.32q", ErrFormat, info.Metadata["giftwire.hash"])
	}
	a.report.Epoch = info.Metadata["giftwire.epoch"]
	for i := range n {
		a.partitions = append(a.partitions, &partition{n: i})
	}
	return nil
}

// partitionOf is the partition of a subject, nil for one that cannot be.
func (a *auditor) partitionOf(prefix, subject string) *partition {
	n, err := strconv.Atoi(strings.TrimPrefix(subject, prefix))
	if err != nil || n < 0 || n >= len(a.partitions) || subject != prefix+strconv.Itoa(n) {
		return nil
	}
	return a.partitions[n]
}

// home is the partition in which a room belongs: FNV-1a of its name.
func (a *auditor) home(room string) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(room))                      // never fails
	return int(h.Sum64() % uint64(len(a.partitions))) //nolint:gosec // below partitionsMax
}

// read reads a whole stream and gives each record to the partition's reader. A record
// that cannot be read is a problem; one of another format ends the audit.
func (a *auditor) read(ctx context.Context, stream, prefix string, each func(*partition, Message) error) (Info, error) {
	info, err := a.src.Info(ctx, stream)
	if err != nil {
		return Info{}, err
	}
	if info.Cut > 0 {
		a.report.Cut[stream] = info.Cut
	}
	last := uint64(0)
	err = a.src.Read(ctx, Span{stream, info.First, info.Last}, func(m Message) error {
		last = m.Seq
		if a.options.Progress != nil {
			a.options.Progress(stream, m.Seq-info.First+1, info.Last-info.First+1)
		}
		p := a.partitionOf(prefix, m.Subject)
		if p == nil {
			a.problem(Problem{Kind: Unreadable, Detail: fmt.Sprintf("%s %d: subject %.64q is no partition's", stream, m.Seq, m.Subject)})
			return nil
		}
		err := each(p, m)
		if errors.Is(err, errRecord) {
			a.problem(Problem{Kind: Unreadable, Partition: p.n, Detail: fmt.Sprintf("%s %d: %v", stream, m.Seq, err)})
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s %d: %w", stream, m.Seq, err)
		}
		return nil
	})
	if err == nil && last != 0 && last < info.Last {
		// Records leave at the head, so the newest goes last.
		a.problem(Problem{Kind: Lost, Detail: fmt.Sprintf("%s %d to %d, the newest, are missing", stream, last+1, info.Last)})
	}
	return info, err
}

// checkGift checks what must be true of a gift wherever it stands.
func (a *auditor) checkGift(p *partition, g *gift, where func() string) {
	if g.Value < 1 || g.Num < 1 || g.Count < 1 || g.Count > countMax || g.Value > countMax || g.Value*g.Num != g.Count {
		a.problem(Problem{Kind: WrongValue, MsgID: g.MsgID.String(), Room: g.Room, Partition: p.n, Detail: fmt.Sprintf(
			"%s: count %d, value %d, num %d", where(), g.Count, g.Value, g.Num)})
	}
	if home := a.home(g.Room); home != p.n {
		a.problem(Problem{Kind: Misplaced, MsgID: g.MsgID.String(), Room: g.Room, Partition: p.n, Detail: fmt.Sprintf(
			"%s: the room belongs to partition %d", where(), home)})
	}
}

// value is a gift's, as far as fate has room for it; wrong_value tells of what has not.
func (g *gift) value() int64 {
	if g.Value < 0 || g.Value > countMax || g.Num < 0 || g.Num > countMax {
		return 0
	}
	return min(g.Value*g.Num, 1<<32-1)
}

// seconds since 1970, in 32 bits until 2106.
func seconds(ms int64) uint32 { return uint32(max(ms, 0) / 1000) } //nolint:gosec // see above

func since(later, earlier uint32) time.Duration {
	return time.Duration(int64(later)-int64(earlier)) * time.Second
}

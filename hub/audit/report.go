package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Kind names a rule that is broken. The package comment says what each means.
type Kind string

// The kinds.
const (
	DecidedTwice  Kind = "decided_twice"
	NeverAccepted Kind = "never_accepted"
	OtherContent  Kind = "other_content"
	Overdue       Kind = "overdue"
	Lost          Kind = "lost"
	SentLate      Kind = "sent_late"
	WrongValue    Kind = "wrong_value"
	WrongTotals   Kind = "wrong_totals"
	WrongSeq      Kind = "wrong_seq"
	BrokenChain   Kind = "broken_chain"
	Misplaced     Kind = "misplaced"
	Unreadable    Kind = "unreadable"
	Unbalanced    Kind = "unbalanced"
)

// Problem is one thing that breaks a promise.
type Problem struct {
	Kind      Kind   `json:"kind"`
	MsgID     string `json:"msg_id,omitzero"` // where it is about one gift
	Room      string `json:"room,omitzero"`
	Partition int    `json:"partition"`
	Detail    string `json:"detail"` // in words, with the sequences to look at
}

// String is a line for people.
func (p Problem) String() string {
	text := string(p.Kind)
	if p.MsgID != "" {
		text += " gift " + p.MsgID
	}
	if p.Room != "" {
		text += " room " + p.Room
	}
	return fmt.Sprintf("%s, partition %d: %s", text, p.Partition, p.Detail)
}

// Tally counts gifts by what became of them. Accepted must be the sum of the others.
type Tally struct {
	Accepted   int64 `json:"accepted"`
	Delivered  int64 `json:"delivered"`
	Failed     int64 `json:"failed"`
	Unresolved int64 `json:"unresolved"`
	Pending    int64 `json:"pending"`
	// Earlier were decided in records that have left OUTCOMES: that they were decided
	// is known, how is not.
	Earlier int64 `json:"earlier"`
}

func (t *Tally) add(o Tally) {
	t.Accepted += o.Accepted
	t.Delivered += o.Delivered
	t.Failed += o.Failed
	t.Unresolved += o.Unresolved
	t.Pending += o.Pending
	t.Earlier += o.Earlier
}

// Surplus is how many more gifts have a fate than were accepted: 0 when P5 holds.
func (t Tally) Surplus() int64 {
	return t.Delivered + t.Failed + t.Unresolved + t.Pending + t.Earlier - t.Accepted
}

// Figures are what was counted in one partition, or in all.
type Figures struct {
	Gifts Tally `json:"gifts"` // in number
	Value Tally `json:"value"` // in gifts as viewers count them: Value x Num
	// Repeats are entries of GIFTS under an id that was accepted before; Conflicts those
	// of them with other content, where the first content stands (P4).
	Repeats   int64 `json:"repeats"`
	Conflicts int64 `json:"conflicts"`
	// GiftGone are decided gifts whose own record has left GIFTS.
	GiftGone int64 `json:"gift_gone"`
	// Reused are ids that a client used again after more than the 24 h for which they are
	// remembered: another gift.
	Reused int64 `json:"reused"`
	// Checked are entries of rooms in OUTCOMES whose totals were compared with what the
	// decisions add up to.
	Checked        int64 `json:"totals_checked"`
	GiftRecords    int64 `json:"gift_records"`
	OutcomeRecords int64 `json:"outcome_records"`
}

func (f *Figures) add(o *Figures) {
	f.Gifts.add(o.Gifts)
	f.Value.add(o.Value)
	f.Repeats += o.Repeats
	f.Conflicts += o.Conflicts
	f.GiftGone += o.GiftGone
	f.Reused += o.Reused
	f.Checked += o.Checked
	f.GiftRecords += o.GiftRecords
	f.OutcomeRecords += o.OutcomeRecords
}

// PartitionFigures are those of one partition.
type PartitionFigures struct {
	Partition int     `json:"partition"`
	Figures   Figures `json:",embed"`
}

// Report is what an audit found.
type Report struct {
	Holds      bool               `json:"holds"` // no problem
	At         int64              `json:"at"`    // when the audit began, Unix ms
	Epoch      string             `json:"epoch"` // of the streams
	Partitions []PartitionFigures `json:"partitions"`
	Total      Figures            `json:"total"`
	// Cut are bytes that the server cut off at the end of a stream's file when it opened
	// it, because they are no record: what a crash leaves of one that was never answered
	// for, or damage. It breaks no rule by itself. Records that damage took from the end,
	// behind the newest snapshot, show here only: no record that is left proves that they
	// were there, so the audit can hold without them. After a mere crash these are at most
	// what one publish had under way, 1 MiB a stream; more of GIFTS or OUTCOMES is a reason
	// to compare with a copy of the folder, or with what the platform was told.
	Cut map[string]uint64 `json:"cut_bytes"`
	// Problems are the first 1,000; Counts has all of them by kind.
	Problems []Problem      `json:"problems"`
	Counts   map[Kind]int64 `json:"problem_counts"`
}

// Found is the number of problems, also of those that are not listed.
func (r *Report) Found() int64 {
	var n int64
	for _, c := range r.Counts {
		n += c
	}
	return n
}

// problemsMax bounds the list: 1,000 of about 300 bytes. Who has more has one cause.
const problemsMax = 1000

func (a *auditor) problem(p Problem) {
	a.report.Counts[p.Kind]++
	if len(a.report.Problems) < problemsMax {
		a.report.Problems = append(a.report.Problems, p)
	}
}

// finish adds the partitions up and orders what was found.
func (a *auditor) finish(begun time.Time) *Report {
	r := &a.report
	for _, p := range a.partitions {
		if s := p.figures.Gifts.Surplus(); s != 0 {
			a.problem(Problem{Kind: Unbalanced, Partition: p.n, Detail: fmt.Sprintf(
				"%d gifts accepted, %d have a fate (%+d)", p.figures.Gifts.Accepted, p.figures.Gifts.Accepted+s, s)})
		}
		if s := p.figures.Value.Surplus(); s != 0 {
			a.problem(Problem{Kind: Unbalanced, Partition: p.n, Detail: fmt.Sprintf(
				"a value of %d accepted, of %d has a fate (%+d)", p.figures.Value.Accepted, p.figures.Value.Accepted+s, s)})
		}
		if p.figures.GiftRecords+p.figures.OutcomeRecords > 0 {
			r.Partitions = append(r.Partitions, PartitionFigures{Partition: p.n, Figures: p.figures})
		}
		r.Total.add(&p.figures)
	}
	slices.SortStableFunc(r.Problems, func(x, y Problem) int {
		return cmp.Or(cmp.Compare(x.Partition, y.Partition), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.MsgID, y.MsgID))
	})
	r.At, r.Holds = begun.UnixMilli(), len(r.Problems) == 0
	return r
}

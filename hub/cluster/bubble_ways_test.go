package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/cluster"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/owner/ownertest"
	"github.com/giftwire/giftwire/room"
)

// leaseStore is the bucket of leases.
type leaseStore struct {
	mu       sync.Mutex
	revision uint64
	keys     map[string]entry
	watchers map[*watcher]bool
	// forgotten is when each lease was, that may hold for a while.
	forgotten map[string]time.Time
}

// forget is what a server in whose memory the bucket was does when it is started anew:
// the next bucket's revisions begin at 1, and no watch says anything any more.
func (s *leaseStore) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.keys {
		s.forgotten[string(e.value)] = time.Now()
	}
	s.revision = 0
	clear(s.keys)
	clear(s.watchers)
}

// entry is one revision of a lease; without a value it was taken away.
type entry struct {
	key      string
	value    []byte
	revision uint64
}

func (e entry) Bucket() string     { return "NODES" }
func (e entry) Key() string        { return e.key }
func (e entry) Value() []byte      { return e.value }
func (e entry) Revision() uint64   { return e.revision }
func (e entry) Created() time.Time { return time.Time{} }
func (e entry) Delta() uint64      { return 0 }

func (e entry) Operation() jetstream.KeyValueOp {
	if e.value == nil {
		return jetstream.KeyValueDelete
	}
	return jetstream.KeyValuePut
}

// put writes behind a revision.
func (s *leaseStore) put(key string, value []byte, last uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys[key].revision != last {
		return 0, cluster.ErrMoved
	}
	s.revision++
	e := entry{key, value, s.revision}
	s.keys[key] = e
	for w := range s.watchers {
		w.tell(e)
	}
	return s.revision, nil
}

// holds reports whether a lease is an incarnation's, or was until it was forgotten less
// than 1.8 s ago.
func (s *leaseStore) holds(node, incarnation string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, lease := range []string{
		fmt.Sprintf(`{"incarnation":%q}`, incarnation), fmt.Sprintf(`{"incarnation":%q,"leaving":true}`, incarnation),
	} {
		at, forgotten := s.forgotten[lease]
		if string(s.keys[node].value) == lease || forgotten && time.Since(at) < 1800*time.Millisecond {
			return true
		}
	}
	return false
}

// watcher tells one process of changes, in order, as long as its way there is open.
type watcher struct {
	updates chan jetstream.KeyValueEntry
	more    chan struct{} // capacity 1
	end     context.CancelFunc

	mu    sync.Mutex // guards the following
	queue []entry
}

func (w *watcher) tell(e entry) {
	w.mu.Lock()
	w.queue = append(w.queue, e)
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// Updates implements [jetstream.KeyWatcher].
func (w *watcher) Updates() <-chan jetstream.KeyValueEntry { return w.updates }

// Stop implements [jetstream.KeyWatcher].
func (w *watcher) Stop() error {
	w.end()
	return nil
}

// leaseWay is a process's way to the leases.
type leaseWay struct{ p *process }

var _ cluster.Leases = (*leaseWay)(nil)

// write is a write that lands even if nobody waits for its answer any more.
func (l *leaseWay) write(ctx context.Context, node string, value []byte, last uint64) (uint64, error) {
	return there(ctx, l.p, func() (uint64, error) { return l.p.w.leases.put(node, value, last) })
}

// Write implements [cluster.Leases].
func (l *leaseWay) Write(ctx context.Context, node string, value []byte, last uint64) (uint64, error) {
	return l.write(ctx, node, value, last)
}

// End implements [cluster.Leases].
func (l *leaseWay) End(ctx context.Context, node string, last uint64) error {
	_, err := l.write(ctx, node, nil, last)
	if err == nil && node != l.p.node {
		l.p.w.evicted(node)
	}
	return err
}

// Newest implements [cluster.Leases].
func (l *leaseWay) Newest(ctx context.Context, node string) ([]byte, uint64, error) {
	e, err := there(ctx, l.p, func() (entry, error) {
		s := l.p.w.leases
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.keys[node], nil
	})
	return e.value, e.revision, err
}

// Watch implements [cluster.Leases].
func (l *leaseWay) Watch(ctx context.Context) (jetstream.KeyWatcher, error) {
	s := l.p.w.leases
	ctx, end := context.WithCancel(ctx)
	w := &watcher{updates: make(chan jetstream.KeyValueEntry), more: make(chan struct{}, 1), end: end}
	s.mu.Lock()
	for _, e := range s.keys {
		w.queue = append(w.queue, e)
	}
	slices.SortFunc(w.queue, func(a, b entry) int { return int(a.revision) - int(b.revision) })
	s.watchers[w] = true
	w.more <- struct{}{}
	s.mu.Unlock()
	l.p.w.running.Go(func() {
		defer close(w.updates)
		defer end()
		defer func() {
			s.mu.Lock()
			delete(s.watchers, w)
			s.mu.Unlock()
		}()
		for {
			select {
			case <-w.more:
			case <-ctx.Done():
				return
			}
			for {
				w.mu.Lock()
				if len(w.queue) == 0 {
					w.mu.Unlock()
					break
				}
				e := w.queue[0]
				w.queue = w.queue[1:]
				w.mu.Unlock()
				l.p.deaf.wait(ctx.Done(), l.p.killed)
				if l.p.travel(ctx) != nil {
					return
				}
				select {
				case w.updates <- e:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	return w, nil
}

// logWay is a process's way to a partition's log.
type logWay struct {
	*ownertest.Hand

	p *process
}

var _ owner.Store = (*logWay)(nil)

func (l *logWay) ReadGifts(ctx context.Context, after uint64) ([]journal.GiftRecord, error) {
	return there(ctx, l.p, func() ([]journal.GiftRecord, error) { return l.Hand.ReadGifts(ctx, after) })
}

func (l *logWay) EndOfGifts(ctx context.Context) (uint64, error) {
	return there(ctx, l.p, func() (uint64, error) { return l.Hand.EndOfGifts(ctx) })
}

func (l *logWay) GiftsAt(ctx context.Context, seqs []uint64) ([]journal.GiftRecord, error) {
	return there(ctx, l.p, func() ([]journal.GiftRecord, error) { return l.Hand.GiftsAt(ctx, seqs) })
}

func (l *logWay) LastOutcome(ctx context.Context) (journal.OutcomeRecord, error) {
	return there(ctx, l.p, func() (journal.OutcomeRecord, error) { return l.Hand.LastOutcome(ctx) })
}

// AppendOutcome's answer may be late: then somebody else may have written behind it, and
// the journal says that it was fenced.
func (l *logWay) AppendOutcome(ctx context.Context, expected uint64, rec journal.OutcomeRecord) (uint64, error) {
	seq, err := there(ctx, l.p, func() (uint64, error) { return l.Hand.AppendOutcome(ctx, expected, rec) })
	if last, _ := l.Hand.LastOutcome(ctx); err == nil && last.Seq != seq {
		return 0, journal.ErrFenced
	}
	return seq, err
}

func (l *logWay) ReadOutcomes(ctx context.Context, after, upTo uint64, each func(journal.OutcomeRecord) error) error {
	_, err := there(ctx, l.p, func() (struct{}, error) { return struct{}{}, l.Hand.ReadOutcomes(ctx, after, upTo, each) })
	return err
}

func (l *logWay) SaveChunk(ctx context.Context, name string, data []byte) error {
	_, err := there(ctx, l.p, func() (struct{}, error) { return struct{}{}, l.Hand.SaveChunk(ctx, name, data) })
	return err
}

func (l *logWay) LoadChunks(ctx context.Context, each func(name string, data []byte) error) error {
	_, err := there(ctx, l.p, func() (struct{}, error) { return struct{}{}, l.Hand.LoadChunks(ctx, each) })
	return err
}

func (l *logWay) AppendIDs(ctx context.Context, ids []journal.ID) error {
	_, err := there(ctx, l.p, func() (struct{}, error) { return struct{}{}, l.Hand.AppendIDs(ctx, ids) })
	return err
}

func (l *logWay) LoadIDs(ctx context.Context, each func(storedAt int64, ids []journal.ID) error) error {
	_, err := there(ctx, l.p, func() (struct{}, error) { return struct{}{}, l.Hand.LoadIDs(ctx, each) })
	return err
}

// zegoWay is an owner's way to ZEGO, which a partition of the network does not cut.
type zegoWay struct {
	p           *process
	partition   int
	incarnation string
}

var _ room.Sender = (*zegoWay)(nil)

// SendGifts implements [room.Sender]. The judge sees each call when it starts and when it
// arrives.
func (z *zegoWay) SendGifts(ctx context.Context, call room.GiftCall) room.Answer {
	p := z.p
	if p.dead() {
		return room.Answer{Message: "killed"}
	}
	p.w.starts(z, call)
	<-time.After(p.between(time.Millisecond, 40*time.Millisecond)) // on its way: nothing stops it
	answer := p.w.arrives(call)
	hang := p.between(time.Millisecond, 60*time.Millisecond)
	if p.chance(0.03) {
		hang = p.between(time.Second, 7*time.Second)
	}
	select {
	case <-time.After(hang):
	case <-ctx.Done():
	case <-p.killed:
	}
	p.thawed()
	if ctx.Err() != nil || p.dead() || p.chance(0.02) {
		return room.Answer{Message: "no answer"}
	}
	return answer
}

// SendComments implements [room.Sender].
func (z *zegoWay) SendComments(context.Context, room.CommentCall) room.Answer {
	return room.Answer{Outcome: room.Consumed}
}

// SendLikes implements [room.Sender].
func (z *zegoWay) SendLikes(context.Context, room.LikeCall) room.Answer {
	return room.Answer{Outcome: room.Consumed}
}

// QueryGifts implements [room.Sender].
func (z *zegoWay) QueryGifts(_ context.Context, call room.QueryCall) room.Answer {
	if z.p.dead() {
		return room.Answer{Message: "killed"}
	}
	return z.p.w.asked(call)
}

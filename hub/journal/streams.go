package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/room"
)

// The streams, and their subjects by partition.
const (
	streamGifts     = "GIFTS"
	streamOutcomes  = "OUTCOMES"
	streamSnapshots = "SNAPS"
	streamIDs       = "IDS"
)

func giftSubject(p int) string { return "gw.gifts." + strconv.Itoa(p) }

func outcomeSubject(p int) string { return "gw.out." + strconv.Itoa(p) }

func snapshotSubject(p int) string { return "gw.snap." + strconv.Itoa(p) + "." }

func idSubject(p int) string { return "gw.ids." + strconv.Itoa(p) }

// What the metadata of every stream says, so that no release with another idea of
// it can write there.
const (
	metaFormat     = "giftwire.format"
	metaPartitions = "giftwire.partitions"
	metaNamespace  = "giftwire.msgid_namespace"
	metaHash       = "giftwire.hash"
	metaEpoch      = "giftwire.epoch"

	hashName = "fnv1a-64"
)

const (
	// idAge is how long a row of the memory of ids is kept: two hours more than the
	// 24 h for which it is promised.
	idAge = 26 * time.Hour
	// snapshotCopies: the newest blob of a name, and the one before it, in case an
	// operator has to look.
	snapshotCopies = 2
	// clusterReplicas is the automatic choice where there are as many servers.
	clusterReplicas = 3
	// createMax bounds one attempt to make a stream; the next one finds what it left.
	createMax = 5 * time.Second
)

// layout is what was fixed when the streams were made.
type layout struct {
	partitions int
	epoch      string
	replicas   int // of OUTCOMES, and of what is made later; 0: not known yet
}

func (l layout) metadata() map[string]string {
	return map[string]string{
		metaFormat:     strconv.Itoa(recordFormat),
		metaPartitions: strconv.Itoa(l.partitions),
		metaNamespace:  room.MsgIDNamespace(),
		metaHash:       hashName,
		metaEpoch:      l.epoch,
	}
}

// wanted are the streams as they must be, OUTCOMES first: it is made first and
// says what the others must agree with.
func wanted(r Retention, l layout, window time.Duration) []jetstream.StreamConfig {
	base := func(name, subject string, size int64, age time.Duration) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: name, Subjects: []string{subject}, MaxBytes: size, MaxAge: age,
			Storage:   jetstream.FileStorage,
			Retention: jetstream.LimitsPolicy, // an audit needs history
			Discard:   jetstream.DiscardNew,   // refuse what is new, never lose what is old
			MaxMsgs:   -1, MaxConsumers: -1, MaxMsgsPerSubject: -1,
			MaxMsgSize:  recordMax + headerMax,
			Duplicates:  window,
			DenyDelete:  true,
			AllowDirect: true,
			Metadata:    l.metadata(),
		}
	}
	snaps := base(streamSnapshots, "gw.snap.*.*", r.SnapshotBytes, 0)
	snaps.MaxMsgsPerSubject = snapshotCopies
	return []jetstream.StreamConfig{
		base(streamOutcomes, "gw.out.*", r.OutcomeBytes, r.OutcomeAge),
		base(streamGifts, "gw.gifts.*", r.GiftBytes, r.GiftAge),
		snaps,
		base(streamIDs, "gw.ids.*", r.IDBytes, idAge),
	}
}

// errAgain: another node made a stream meanwhile; look once more.
var errAgain = errors.New("streams changed while they were looked at")

// openStreams makes the streams or verifies them, and sets the layout.
func (j *Journal) openStreams(ctx context.Context) error {
	for {
		err := j.tryStreams(ctx)
		// A cluster whose servers have just started answers nothing, or that JetStream
		// has no leader yet. ctx bounds the wait.
		if !errors.Is(err, errAgain) && !transient(err) {
			return err
		}
		if ended := j.pause(ctx, 100*time.Millisecond); ended != nil {
			return fmt.Errorf("journal: open streams: %w (last: %w)", ended, err)
		}
	}
}

func (j *Journal) tryStreams(ctx context.Context) error {
	have, err := j.existing(ctx)
	if err != nil {
		return err
	}
	if j.layout, err = j.chooseLayout(have); err != nil {
		return err
	}
	want := wanted(j.cfg.Retention, j.layout, j.tuning.window)
	drifts := j.missing(have, want)
	var resize []jetstream.StreamConfig
	for _, w := range want {
		info := have[w.Name]
		if info == nil {
			continue
		}
		found, sized := compareStream(info.Config, w), w
		if j.cfg.Retention.Resize {
			rest := withoutSizes(found)
			if len(rest) < len(found) {
				sized.Replicas, sized.Placement, sized.Description = info.Config.Replicas, info.Config.Placement, info.Config.Description
				resize = append(resize, sized)
			}
			found = rest
		}
		drifts = append(drifts, found...)
	}
	if len(drifts) > 0 {
		return &DriftError{Drifts: drifts}
	}
	for _, w := range resize {
		if err := j.resize(ctx, w); err != nil {
			return fmt.Errorf("journal: resize %s: %w", w.Name, err)
		}
		j.cfg.Logger.Info("stream resized", slog.String("stream", w.Name), slog.Int64("max_bytes", w.MaxBytes), slog.Duration("max_age", w.MaxAge))
	}
	for _, w := range want {
		if have[w.Name] == nil {
			if err := j.create(ctx, w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *Journal) existing(ctx context.Context) (map[string]*jetstream.StreamInfo, error) {
	have := make(map[string]*jetstream.StreamInfo)
	for _, name := range []string{streamOutcomes, streamGifts, streamSnapshots, streamIDs} {
		info, err := j.info(ctx, name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
		case err != nil:
			return nil, err
		default:
			have[name] = info
		}
	}
	return have, nil
}

// chooseLayout takes what OUTCOMES says, or makes a new layout.
func (j *Journal) chooseLayout(have map[string]*jetstream.StreamInfo) (layout, error) {
	if out := have[streamOutcomes]; out != nil {
		meta := out.Config.Metadata
		n, err := strconv.Atoi(meta[metaPartitions])
		if err != nil || n < 1 || n > partitionsMax || meta[metaEpoch] == "" {
			return layout{}, &DriftError{Drifts: []Drift{{
				Stream: streamOutcomes, Field: "metadata", Have: fmt.Sprint(meta), Want: "partitions and epoch of giftwire",
			}}}
		}
		if j.cfg.Partitions != 0 && j.cfg.Partitions != n {
			return layout{}, &DriftError{Drifts: []Drift{{
				Stream: streamOutcomes, Field: "metadata." + metaPartitions,
				Have: strconv.Itoa(n), Want: strconv.Itoa(j.cfg.Partitions),
			}}}
		}
		return layout{partitions: n, epoch: meta[metaEpoch], replicas: out.Config.Replicas}, nil
	}
	epoch, err := uuid.NewV7()
	if err != nil {
		return layout{}, fmt.Errorf("journal: make an epoch: %w", err)
	}
	l := layout{partitions: j.cfg.Partitions, epoch: epoch.String()}
	switch {
	case l.partitions != 0:
	case j.cfg.NATSURL == "":
		l.partitions = partitionsEmbedded
	default:
		l.partitions = partitionsExternal
	}
	return l, nil
}

// missing tells of streams that are gone while others still have what refers to
// them. A start that died while it made the streams is not that: OUTCOMES comes
// first and is empty until all exist.
func (j *Journal) missing(have map[string]*jetstream.StreamInfo, want []jetstream.StreamConfig) []Drift {
	out := have[streamOutcomes]
	fresh := (out == nil && len(have) == 0) || (out != nil && out.State.LastSeq == 0)
	var drifts []Drift
	for _, w := range want {
		if have[w.Name] == nil && !fresh {
			drifts = append(drifts, Drift{
				Stream: w.Name, Field: "stream", Have: "missing", Want: "present: the other streams hold records",
			})
		}
	}
	return drifts
}

// create makes a stream. Unless the settings say how many replicas, OUTCOMES
// decides for all.
func (j *Journal) create(ctx context.Context, w jetstream.StreamConfig) error {
	w.Replicas = j.cfg.Replicas
	switch {
	case j.cfg.NATSURL == "":
		w.Replicas = 1
	case w.Replicas == 0:
		w.Replicas = j.layout.replicas
	}
	if w.Replicas == 0 {
		return j.createAuto(ctx, w)
	}
	return j.createStream(ctx, w)
}

// createAuto tries three replicas, waits a while for a cluster to find its
// servers, and then makes one; but not where there are three servers, which have
// another reason to refuse: nobody gets one copy of what was meant to have three.
func (j *Journal) createAuto(ctx context.Context, w jetstream.StreamConfig) error {
	for deadline := time.Now().Add(j.tuning.replicas); ; {
		w.Replicas = clusterReplicas
		err := j.createStream(ctx, w)
		switch {
		case apiCode(err) == codeReplicasNotSupported: // not clustered
		case apiCode(err) != codeNoPeers && apiCode(err) != codeInsufficient:
			return err
		case time.Now().Before(deadline):
			if err := j.pause(ctx, 200*time.Millisecond); err != nil {
				return err
			}
			continue
		case len(j.nc.Servers()) >= clusterReplicas:
			return fmt.Errorf("%w (with %d servers known; set Replicas to have fewer copies)", err, len(j.nc.Servers()))
		default:
			j.cfg.Logger.Warn("the cluster has no three servers: streams get one replica", slog.Any("error", err))
		}
		w.Replicas = 1
		return j.createStream(ctx, w)
	}
}

func (j *Journal) createStream(ctx context.Context, w jetstream.StreamConfig) error {
	ctx, cancel := context.WithTimeout(ctx, createMax)
	defer cancel()
	s, err := j.js.CreateStream(ctx, w)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return errAgain
	}
	if err != nil {
		return fmt.Errorf("journal: make stream %s: %w", w.Name, err)
	}
	// What the server made of it is what counts.
	if drifts := compareStream(s.CachedInfo().Config, w); len(drifts) > 0 {
		return &DriftError{Drifts: drifts}
	}
	if j.layout.replicas == 0 { // else others may be reading it: a bucket is made again while nodes run
		j.layout.replicas = w.Replicas
	}
	j.cfg.Logger.Info("stream made", slog.String("stream", w.Name), slog.Int("replicas", w.Replicas), slog.Int64("max_bytes", w.MaxBytes), slog.Duration("max_age", w.MaxAge))
	return nil
}

// transient reports whether asking again may do.
func transient(err error) bool {
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.Is(err, context.DeadlineExceeded) || apiCode(err) == codeNotAvailable
}

package audit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
)

const (
	// batchRecords and batchBytes bound one batch of reads: the server ends a batch with
	// the record that reaches the bytes, and a record has at most 1 MiB.
	batchRecords = 2048
	batchBytes   = 4 << 20
	// answerMax is how long one answer may take; some errors of the server send nothing.
	answerMax = 5 * time.Second
	// silenceMax is how long the store may be silent before reading is given up: a
	// cluster elects a leader within 9 s (nats-server v2.15.2, raft.go).
	silenceMax = 30 * time.Second
	// askAgain is the pause before an unanswered read is repeated.
	askAgain = 250 * time.Millisecond
)

// codeNoMessage is JetStream's error for "no such message" (nats-server,
// jetstream_errors_generated.go).
const codeNoMessage = 10037

// Store reads the streams over NATS: from servers of your own, or from one in this
// process that runs on a copy of a folder. It creates nothing there, not even a
// consumer: it needs the right to publish to $JS.API.STREAM.INFO.>,
// $JS.API.STREAM.MSG.GET.> and $JS.API.DIRECT.GET.>, and to subscribe to its inboxes.
type Store struct {
	nc   *nats.Conn
	ends []func() error // what Close does, in order
	// ages are the streams' own, where a copy with other ones is read.
	ages map[string]time.Duration
	// cut is what opening the copy cut off, in bytes.
	cut map[string]uint64
}

// Server says which NATS to connect to.
type Server struct {
	URL         string // comma separated
	Credentials string // a .creds file; empty: none
	Authority   string // a PEM file of the CA that signed their certificate; empty: the system's
}

// Connect reads from NATS servers, which may be in use. It blocks until there is a
// connection or an error, which does not repeat the URL.
func Connect(s Server) (*Store, error) {
	var opts []nats.Option
	if s.Credentials != "" {
		opts = append(opts, nats.UserCredentials(s.Credentials))
	}
	if s.Authority != "" {
		opts = append(opts, nats.RootCAs(s.Authority))
	}
	return connect(s.URL, opts...)
}

func connect(url string, opts ...nats.Option) (*Store, error) {
	opts = append(
		opts,
		nats.Name("giftwire audit"), nats.MaxReconnects(-1), nats.ReconnectWait(askAgain), nats.ReconnectBufSize(-1),
		// The default prints to stderr. What it hears of, a read notices too.
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
	)
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return &Store{nc: nc, ends: []func() error{func() error { nc.Close(); return nil }}}, nil
}

// Close ends the connection and removes what was copied.
func (s *Store) Close() error {
	var errs []error
	for _, end := range s.ends {
		errs = append(errs, end())
	}
	s.ends = nil
	return errors.Join(errs...)
}

// apiError is how JetStream says no.
type apiError struct {
	Code        int    `json:"err_code"`
	Description string `json:"description"`
}

// Error is the server's text.
func (e *apiError) Error() string { return fmt.Sprintf("JetStream: %s (%d)", e.Description, e.Code) }

// Info implements [Source].
func (s *Store) Info(ctx context.Context, stream string) (Info, error) {
	var a struct {
		Error  *apiError `json:"error"`
		Config struct {
			MaxAge      int64             `json:"max_age"` // ns
			Metadata    map[string]string `json:"metadata"`
			AllowDirect bool              `json:"allow_direct"`
		} `json:"config"`
		State struct {
			First uint64 `json:"first_seq"`
			Last  uint64 `json:"last_seq"`
			Lost  *struct {
				Messages []uint64 `json:"msgs"`
			} `json:"lost"`
		} `json:"state"`
	}
	if err := s.ask(ctx, "$JS.API.STREAM.INFO."+stream, nil, &a); err != nil {
		return Info{}, err
	}
	const codeNoStream = 10059
	switch {
	case a.Error != nil && a.Error.Code == codeNoStream:
		return Info{}, fmt.Errorf("%w: %s is missing", ErrNoStore, stream)
	case a.Error != nil:
		return Info{}, fmt.Errorf("look at %s: %w", stream, a.Error)
	case a.State.Lost != nil && len(a.State.Lost.Messages) > 0:
		lost := a.State.Lost.Messages
		const named = 10
		return Info{}, fmt.Errorf("%w: %s has lost %d records, the first at %v", ErrDamaged, stream, len(lost), lost[:min(len(lost), named)])
	case !a.Config.AllowDirect:
		return Info{}, fmt.Errorf("%s does not allow direct gets: its settings are not giftwire's", stream)
	}
	age, copied := s.ages[stream]
	if !copied {
		age = time.Duration(a.Config.MaxAge)
	}
	// JetStream says 0 to 0 of a stream that never had anything.
	return Info{
		First: max(a.State.First, 1), Last: a.State.Last, MaxAge: age, Metadata: a.Config.Metadata, Cut: s.cut[stream],
	}, nil
}

// First implements [Source]. It asks the stream's leader, who knows all.
func (s *Store) First(ctx context.Context, stream, subject string) (Message, error) {
	return s.get(ctx, stream, getRequest{Seq: 1, NextFor: subject})
}

// Last implements [Source].
func (s *Store) Last(ctx context.Context, stream, subject string) (Message, error) {
	return s.get(ctx, stream, getRequest{LastFor: subject})
}

// getRequest asks for one record, or for a batch from a sequence on.
type getRequest struct {
	Seq      uint64 `json:"seq,omitzero"`
	NextFor  string `json:"next_by_subj,omitzero"`
	LastFor  string `json:"last_by_subj,omitzero"`
	Batch    int    `json:"batch,omitzero"`
	MaxBytes int    `json:"max_bytes,omitzero"`
}

func (s *Store) get(ctx context.Context, stream string, req getRequest) (Message, error) {
	var a struct {
		Error   *apiError `json:"error"`
		Message struct {
			Subject string    `json:"subject"`
			Seq     uint64    `json:"seq"`
			Data    []byte    `json:"data"`
			Time    time.Time `json:"time"`
		} `json:"message"`
	}
	body, err := json.Marshal(req)
	if err != nil {
		return Message{}, err
	}
	if err := s.ask(ctx, "$JS.API.STREAM.MSG.GET."+stream, body, &a); err != nil {
		return Message{}, err
	}
	switch {
	case a.Error != nil && a.Error.Code == codeNoMessage:
		return Message{}, nil
	case a.Error != nil:
		return Message{}, fmt.Errorf("read from %s: %w", stream, a.Error)
	}
	return Message{Subject: a.Message.Subject, Seq: a.Message.Seq, At: a.Message.Time, Data: a.Message.Data}, nil
}

// ask repeats a request of JetStream's API until it is answered or has been silent for
// too long.
func (s *Store) ask(ctx context.Context, subject string, body []byte, into any) error {
	for begun := time.Now(); ; {
		wait, cancel := context.WithTimeout(ctx, answerMax)
		m, err := s.nc.RequestWithContext(wait, subject, body)
		cancel()
		if err == nil {
			if err := json.Unmarshal(m.Data, into); err != nil {
				return fmt.Errorf("answer to %s: %w", subject, err)
			}
			return nil
		}
		if err := s.again(ctx, begun, fmt.Errorf("%s: %w", subject, err)); err != nil {
			return err
		}
	}
}

// again waits before a repetition, or says why there is none.
func (s *Store) again(ctx context.Context, begun time.Time, last error) error {
	if time.Since(begun) > silenceMax || s.nc.IsClosed() {
		return fmt.Errorf("%w: %w", ErrSilent, last)
	}
	t := time.NewTimer(askAgain)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Read implements [Source]. Batches come from any replica, which may be behind: it reads
// on until the span's end, and believes only the leader that there is no more.
func (s *Store) Read(ctx context.Context, span Span, each func(Message) error) error {
	next, begun := span.From, time.Now()
	for next <= span.UpTo {
		from := next
		err := s.batch(ctx, span.Stream, next, func(m Message) error {
			next = m.Seq + 1
			if m.Seq > span.UpTo {
				return nil
			}
			return each(m)
		})
		if err != nil && !errors.Is(err, ErrSilent) {
			return err
		}
		if next > from {
			begun = time.Now()
			continue
		}
		rest, errRest := s.get(ctx, span.Stream, getRequest{Seq: next, NextFor: ">"})
		if errRest != nil {
			return errRest
		}
		if rest.Seq == 0 || rest.Seq > span.UpTo {
			return nil // the end of the span has left retention
		}
		if err := s.again(ctx, begun, fmt.Errorf("read %s from %d on: %w", span.Stream, next, err)); err != nil {
			return err
		}
	}
	return nil
}

// batch calls each for some records from a sequence on. Those are right, also before an
// error; none at all is no error.
func (s *Store) batch(ctx context.Context, stream string, from uint64, each func(Message) error) error {
	body, err := json.Marshal(getRequest{Seq: from, Batch: batchRecords, MaxBytes: batchBytes})
	if err != nil {
		return err
	}
	inbox := s.nc.NewInbox()
	sub, err := s.nc.SubscribeSync(inbox)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSilent, err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only without a connection, and then there is none
	if err := s.nc.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, body); err != nil {
		return fmt.Errorf("%w: %w", ErrSilent, err)
	}
	for prev := uint64(0); ; {
		wait, cancel := context.WithTimeout(ctx, answerMax)
		msg, err := sub.NextMsgWithContext(wait)
		cancel()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("%w: %w", ErrSilent, err)
		}
		switch status := msg.Header.Get("Status"); status {
		case "":
		case "204", "404": // the end of the batch; nothing from there on
			return nil
		case "503": // nobody there
			return ErrSilent
		default:
			return fmt.Errorf("read from %s: %s %s", stream, status, msg.Header.Get("Description"))
		}
		m, before, err := parse(msg)
		if err != nil {
			return fmt.Errorf("read from %s: %w", stream, err)
		}
		if before != prev {
			return fmt.Errorf("%w: a batch of %s has a gap after %d", ErrSilent, stream, prev)
		}
		prev = m.Seq
		if err := each(m); err != nil {
			return err
		}
	}
}

// parse reads a record of a batch, and the sequence of the one before it there.
func parse(msg *nats.Msg) (m Message, before uint64, err error) {
	at, errAt := time.Parse(time.RFC3339Nano, msg.Header.Get("Nats-Time-Stamp"))
	seq, errSeq := strconv.ParseUint(msg.Header.Get("Nats-Sequence"), 10, 64)
	before, errBefore := strconv.ParseUint(msg.Header.Get("Nats-Last-Sequence"), 10, 64)
	if err := errors.Join(errAt, errSeq, errBefore); err != nil {
		return Message{}, 0, fmt.Errorf("headers of a record: %w", err)
	}
	return Message{Subject: msg.Header.Get("Nats-Subject"), Seq: seq, At: at, Data: msg.Data}, before, nil
}

package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Reads from a stream's leader see every acknowledged record; direct gets, which
// any replica answers, do not (JETSTREAM.md, 6: stale in 189 of 1,500). So what
// decides something is read here, and the bulk there.

// message is a stored record.
type message struct {
	subject string
	seq     uint64
	at      time.Time
	header  nats.Header
	data    []byte
}

// leaderGet is a request of the stream API's MSG.GET.
type leaderGet struct {
	Seq     uint64 `json:"seq,omitzero"`
	NextFor string `json:"next_by_subj,omitzero"`
	LastFor string `json:"last_by_subj,omitzero"`
}

type leaderAnswer struct {
	Error   *jetstream.APIError `json:"error"`
	Message *struct {
		Subject string    `json:"subject"`
		Seq     uint64    `json:"seq"`
		Header  []byte    `json:"hdrs"`
		Data    []byte    `json:"data"`
		Time    time.Time `json:"time"`
	} `json:"message"`
}

// leaderLast is the subject's last record; its seq is 0 when there is none. The
// subject may have wildcards.
func (j *Journal) leaderLast(ctx context.Context, stream, subject string) (message, error) {
	return j.fromLeader(ctx, stream, leaderGet{LastFor: subject})
}

// leaderFirst is the subject's first record from seq on; its seq is 0 when there
// is none.
func (j *Journal) leaderFirst(ctx context.Context, stream, subject string, seq uint64) (message, error) {
	return j.fromLeader(ctx, stream, leaderGet{Seq: max(seq, 1), NextFor: subject})
}

// leaderAt is the record at seq; its seq is 0 when it is gone.
func (j *Journal) leaderAt(ctx context.Context, stream string, seq uint64) (message, error) {
	return j.fromLeader(ctx, stream, leaderGet{Seq: seq})
}

// leaderSure is leaderAt for deciding that a record is gone. A new leader has every
// record, but may not have taken all of them in when it is asked first, so one that
// does not know the stream up to seq is given a second.
func (j *Journal) leaderSure(ctx context.Context, stream string, seq uint64) (message, error) {
	for range 10 {
		m, err := j.leaderAt(ctx, stream, seq)
		if err != nil || m.seq != 0 {
			return m, err
		}
		state, err := j.state(ctx, stream)
		if err != nil {
			return message{}, err
		}
		if state.LastSeq >= seq {
			return j.leaderAt(ctx, stream, seq)
		}
		if err := j.pause(ctx, 100*time.Millisecond); err != nil {
			return message{}, err
		}
	}
	return message{}, nil
}

// fromLeader repeats the request while the stream has no leader or none answers,
// until ctx ends.
func (j *Journal) fromLeader(ctx context.Context, stream string, get leaderGet) (message, error) {
	req, err := json.Marshal(get)
	if err != nil {
		return message{}, fmt.Errorf("journal: encode request: %w", err)
	}
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		m, err := j.askLeader(ctx, stream, req)
		switch {
		case err == nil:
			return m, nil
		case errors.Is(err, nats.ErrConnectionClosed):
			return message{}, ErrClosed
		case apiCode(err) != 0 && !transient(err), errors.Is(err, ErrFormat):
			return message{}, fmt.Errorf("journal: read from %s: %w", stream, err)
		}
		if err := j.pause(ctx, wait); err != nil {
			return message{}, err
		}
	}
}

func (j *Journal) askLeader(ctx context.Context, stream string, req []byte) (message, error) {
	ctx, cancel := context.WithTimeout(ctx, j.tuning.leader)
	defer cancel()
	resp, err := j.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+stream, req)
	if err != nil {
		return message{}, err
	}
	var a leaderAnswer
	if err := json.Unmarshal(resp.Data, &a); err != nil {
		return message{}, fmt.Errorf("%w: answer of the stream API: %w", ErrFormat, err)
	}
	switch {
	case apiCode(a.err()) == codeNoMessage:
		return message{}, nil
	case a.Error != nil:
		return message{}, a.Error
	case a.Message == nil:
		return message{}, fmt.Errorf("%w: answer of the stream API has no message", ErrFormat)
	}
	m := message{subject: a.Message.Subject, seq: a.Message.Seq, at: a.Message.Time, data: a.Message.Data}
	if len(a.Message.Header) > 0 {
		if m.header, err = nats.DecodeHeadersMsg(a.Message.Header); err != nil {
			return message{}, fmt.Errorf("%w: headers: %w", ErrFormat, err)
		}
	}
	return m, nil
}

// err is the answer's error as an error, without a nil inside.
func (a *leaderAnswer) err() error {
	if a.Error == nil {
		return nil
	}
	return a.Error
}

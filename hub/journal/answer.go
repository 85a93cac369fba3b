package journal

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Error codes of JetStream's API (nats-server, jetstream_errors_generated.go).
// Texts are shared between codes, so only codes are compared.
const (
	codeResourcesExceeded    jetstream.ErrorCode = 10002
	codeNoPeers              jetstream.ErrorCode = 10005
	codeNotAvailable         jetstream.ErrorCode = 10008
	codeInsufficient         jetstream.ErrorCode = 10023
	codeNoMessage            jetstream.ErrorCode = 10037
	codeStorageExceeded      jetstream.ErrorCode = 10047
	codeWrongLast            jetstream.ErrorCode = 10071 // someone else has written
	codeReplicasNotSupported jetstream.ErrorCode = 10074
	codeStoreFailed          jetstream.ErrorCode = 10077 // full, or the store is closed
	codeInProcess            jetstream.ErrorCode = 10158 // the id of another publish that has no sequence yet
)

func apiCode(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	return 0
}

// answer is what one attempt of a publish came to.
type answer int

const (
	// lost: no answer, or one that does not say. The record may be stored.
	lost answer = iota
	// stored: acknowledged, by this attempt or an earlier one.
	stored
	// refused: surely not stored by this attempt, and a repeat would not be either.
	refused
	// unsent: this attempt reached no stream. A repeat may.
	unsent
)

// judge reads an attempt's error. What it does not know is lost: a repeat under
// the same id then finds out.
func judge(err error) answer {
	switch {
	case err == nil:
		return stored
	case errors.Is(err, nats.ErrMaxPayload):
		return refused
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrReconnectBufExceeded):
		return unsent
	}
	switch apiCode(err) {
	case codeResourcesExceeded, codeInsufficient, codeStorageExceeded:
		return refused
	case codeStoreFailed:
		if full(err) {
			return refused
		}
		return lost
	default:
		return lost
	}
}

// full tells a full stream from a store that is closing, which shares its code: on
// a replicated stream another server may have stored the record then.
func full(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) &&
		(api.Description == server.ErrMaxBytes.Error() || api.Description == server.ErrMaxMsgs.Error())
}

// pause waits for d, or returns ctx's cause when it ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

package audit

import (
	"context"
	"errors"
	"time"
)

// The streams, as hub/journal makes them.
const (
	streamGifts     = "GIFTS"
	streamOutcomes  = "OUTCOMES"
	streamSnapshots = "SNAPS"
	streamIDs       = "IDS"

	giftSubject     = "gw.gifts."
	outcomeSubject  = "gw.out."
	idSubject       = "gw.ids."
	snapshotSubject = "gw.snap."
)

// Message is a stored record.
type Message struct {
	Subject string
	Seq     uint64 // of the stream; 0: there is none
	At      time.Time
	Data    []byte
}

// Info is what a stream says of itself.
type Info struct {
	// First and Last are the sequences retained. First is Last+1 when there is nothing.
	First, Last uint64
	MaxAge      time.Duration // as configured; 0: none
	Metadata    map[string]string
	// Cut are the bytes that opening the store cut off at the end of a file, because they
	// are no record: see [Report]. Known of a folder only.
	Cut uint64
}

// Span is a part of a stream: the records From to UpTo.
type Span struct {
	Stream     string
	From, UpTo uint64
}

// Source is where the streams are read from. [OpenFolder] and [Connect] make one;
// tests have one in memory.
type Source interface {
	// Info asks for the stream's bounds.
	Info(ctx context.Context, stream string) (Info, error)
	// Read calls each for the records of the span, in order, those that are gone left
	// out, until the last one of the span was seen. An error of each ends it.
	Read(ctx context.Context, s Span, each func(Message) error) error
	// First is the subject's oldest retained record.
	First(ctx context.Context, stream, subject string) (Message, error)
	// Last is the subject's newest record.
	Last(ctx context.Context, stream, subject string) (Message, error)
}

// Errors that say why the streams could not be read. They are wrapped; use errors.Is.
var (
	// ErrNoStore: there are no streams of giftwire.
	ErrNoStore = errors.New("no streams of giftwire")
	// ErrInUse: a node runs on the folder.
	ErrInUse = errors.New("the folder is in use by a running giftwire")
	// ErrDamaged: the store itself has lost records.
	ErrDamaged = errors.New("the store is damaged")
	// ErrFormat: the records are another release's.
	ErrFormat = errors.New("records of another release")
	// ErrSilent: the store has stopped answering.
	ErrSilent = errors.New("the store does not answer")
)

package wire

import "github.com/go-json-experiment/json/jsontext"

// Frame is what a viewer sends: [GiftFrame], [CommentFrame], [LikeFrame] or
// [PingFrame].
type Frame interface {
	// Append appends the frame's JSON object, as a client writes it.
	Append(dst []byte) []byte
}

// GiftFrame asks to give a gift. Fields are well-typed and present; whether they
// make sense is the intake's to say.
type GiftFrame struct {
	ID       string
	GiftID   string
	Count    int
	Value    *int    // nil: not given
	Receiver *string // nil: not given
}

// CommentFrame is a comment.
type CommentFrame struct {
	ID   string
	Text string
}

// LikeFrame is some likes.
type LikeFrame struct {
	Count int // 1 where none was given
}

// PingFrame asks for a pong.
type PingFrame struct {
	T jsontext.Value // a number as it was written; nil: not given
}

// Append implements [Frame].
func (f GiftFrame) Append(dst []byte) []byte {
	o := open(dst, "gift").str("id", f.ID).str("gift_id", f.GiftID).num("count", int64(f.Count))
	if f.Value != nil {
		o = o.num("value", int64(*f.Value))
	}
	if f.Receiver != nil {
		o = o.str("receiver_id", *f.Receiver)
	}
	return o.close()
}

// Append implements [Frame].
func (f CommentFrame) Append(dst []byte) []byte {
	return open(dst, "comment").str("id", f.ID).str("text", f.Text).close()
}

// Append implements [Frame].
func (f LikeFrame) Append(dst []byte) []byte {
	return open(dst, "like").num("count", int64(f.Count)).close()
}

// Append implements [Frame]. T must be valid JSON.
func (f PingFrame) Append(dst []byte) []byte {
	o := open(dst, "ping")
	if len(f.T) > 0 {
		o = append(o.name("t"), f.T...)
	}
	return o.close()
}

// FrameError says what is wrong with a client frame.
type FrameError struct {
	// ID is the frame's id where the frame is a gift or a comment and the id is
	// well-formed: then the answer is a rejected event, else an error event.
	ID string
	// Malformed: no JSON object, or no type that we know. Too many of these are abuse.
	Malformed bool
	// Message tells people what to mend. It repeats at most names of members.
	Message string
}

// Error implements error.
func (e *FrameError) Error() string { return "wire: " + e.Message }

package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/giftwire/giftwire/room"
)

// Decode reads a client frame: one JSON object of the members that its type has,
// each at most once, in their exact case, of the right JSON type, none of them null.
// Bounds of the values are not looked at, but for the id, whose form decides how a
// wrong frame is answered. Every error is a [*FrameError]. The frame keeps nothing of
// data, whose size the caller bounds (MessageMax).
func Decode(data []byte) (Frame, error) {
	f, err := readFields(data)
	if err != nil {
		return nil, &FrameError{Malformed: true, Message: err.Error()}
	}
	if f.seen&(1<<mType) == 0 || f.doubled&(1<<mType) != 0 || f.wrong&(1<<mType) != 0 {
		return nil, &FrameError{Malformed: true, Message: "type must be there once, and be a string"}
	}
	shape, known := shapes(f.text[mType])
	if !known {
		return nil, &FrameError{Malformed: true, Message: "unknown type: gift, comment, like and ping are known"}
	}
	if fault := f.fault(shape); fault != "" {
		return nil, &FrameError{ID: f.id(shape), Message: fault}
	}
	return f.build(), nil
}

// member is a member's name, by its place in memberNames.
type member int

const (
	mType member = iota
	mID
	mGiftID
	mCount
	mValue
	mReceiver
	mText
	mT
	members = iota
)

var memberNames = [members]string{"type", "id", "gift_id", "count", "value", "receiver_id", "text", "t"}

// set is a set of members.
type set uint16

func setOf(ms ...member) (s set) {
	for _, m := range ms {
		s |= 1 << m
	}
	return s
}

// shape says which members a type of frame may have, and which it must have.
type shape struct{ may, must set }

func shapes(name string) (shape, bool) {
	switch name {
	case "gift":
		must := setOf(mType, mID, mGiftID, mCount)
		return shape{may: must | setOf(mValue, mReceiver), must: must}, true
	case "comment":
		must := setOf(mType, mID, mText)
		return shape{may: must, must: must}, true
	case "like":
		return shape{may: setOf(mType, mCount), must: setOf(mType)}, true
	case "ping":
		return shape{may: setOf(mType, mT), must: setOf(mType)}, true
	default:
		return shape{}, false
	}
}

// fields are the members of a frame, whatever its type.
type fields struct {
	seen, doubled, wrong set  // wrong: not of the member's JSON type
	stranger             bool // a member that no type has
	text                 [members]string
	number               [members]int
	t                    jsontext.Value
}

var (
	errNotJSON   = errors.New("the frame is not valid JSON")
	errNotObject = errors.New("the frame is not one JSON object")
)

// readFields reads the one object of data. Doubled names are allowed in the reader
// because they are faults of a frame whose id may still be known.
func readFields(data []byte) (*fields, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true))
	if dec.PeekKind() != '{' {
		return nil, errNotObject
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, errNotJSON
	}
	f := new(fields)
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, errNotJSON
		}
		m, known := memberOf(name.String())
		value, err := dec.ReadValue()
		if err != nil {
			return nil, errNotJSON
		}
		if !known {
			f.stranger = true
			continue
		}
		f.take(m, value)
	}
	if _, err := dec.ReadToken(); err != nil { // the closing brace
		return nil, errNotJSON
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errNotObject
	}
	return f, nil
}

func memberOf(name string) (member, bool) {
	for i, n := range memberNames {
		if n == name {
			return member(i), true
		}
	}
	return 0, false
}

// take keeps one member's value. It is copied: value is the decoder's.
func (f *fields) take(m member, value jsontext.Value) {
	bit := set(1) << m
	f.doubled |= f.seen & bit
	f.seen |= bit
	kind := value.Kind()
	switch {
	case m == mT && kind == '0':
		f.t = value.Clone()
	case (m == mCount || m == mValue) && kind == '0':
		n, err := strconv.Atoi(string(value))
		if err != nil { // a fraction, an exponent, or beyond all bounds
			f.wrong |= bit
		}
		f.number[m] = n
	case m != mT && m != mCount && m != mValue && kind == '"':
		text, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			f.wrong |= bit
		}
		f.text[m] = string(text)
	default:
		f.wrong |= bit
	}
}

// fault names the first thing that is wrong with a frame of this shape.
func (f *fields) fault(s shape) string {
	if f.stranger || f.seen&^s.may != 0 {
		return fmt.Sprintf("a member is not known: %s may have %s", f.text[mType], s.may)
	}
	if f.doubled != 0 {
		return fmt.Sprintf("members are there twice: %s", f.doubled)
	}
	if missing := s.must &^ f.seen; missing != 0 {
		return fmt.Sprintf("members are missing: %s", missing)
	}
	if f.wrong != 0 {
		return fmt.Sprintf("members are of the wrong JSON type: %s (count and value are integers, t is a number, "+
			"the others are strings)", f.wrong)
	}
	if s.must&(1<<mID) != 0 {
		if err := room.CheckClientID(f.text[mID]); err != nil {
			return "id must be 1 to 64 of A-Z, a-z, 0-9, _ and -"
		}
	}
	return ""
}

// String lists the members' names.
func (s set) String() string {
	var b []byte
	for i, name := range memberNames {
		if s&(1<<i) == 0 {
			continue
		}
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = append(b, name...)
	}
	return string(b)
}

// id is the frame's id if its type has one and there is no doubt about it.
func (f *fields) id(s shape) string {
	const bit = set(1) << mID
	if s.must&bit == 0 || f.seen&bit == 0 || (f.doubled|f.wrong)&bit != 0 || room.CheckClientID(f.text[mID]) != nil {
		return ""
	}
	return f.text[mID]
}

// build makes the frame of fields without a fault.
func (f *fields) build() Frame {
	switch f.text[mType] {
	case "gift":
		g := GiftFrame{ID: f.text[mID], GiftID: f.text[mGiftID], Count: f.number[mCount]}
		if f.seen&(1<<mValue) != 0 {
			g.Value = &f.number[mValue]
		}
		if f.seen&(1<<mReceiver) != 0 {
			g.Receiver = &f.text[mReceiver]
		}
		return g
	case "comment":
		return CommentFrame{ID: f.text[mID], Text: f.text[mText]}
	case "like":
		if f.seen&(1<<mCount) == 0 {
			return LikeFrame{Count: 1}
		}
		return LikeFrame{Count: f.number[mCount]}
	default:
		return PingFrame{T: f.t}
	}
}

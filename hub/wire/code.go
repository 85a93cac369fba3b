package wire

// Code says why a frame was not taken: the code of a rejected or an error event,
// and of a gift that the platform API refuses. The list is closed: PROTOCOL.md,
// "Reject codes".
type Code string

// The codes.
const (
	CodeBadRequest     Code = "bad_request"
	CodeUnknownGift    Code = "unknown_gift"
	CodeBadCount       Code = "bad_count" // the message names the tiers that would do
	CodeRateLimited    Code = "rate_limited"
	CodeNotAllowed     Code = "not_allowed"      // the token does not give the right
	CodeDeclined       Code = "declined"         // the platform's wallet said no
	CodeConflict       Code = "conflict"         // same id, other content
	CodeRoomClosed     Code = "room_closed"      // no longer configured
	CodeGameNotRunning Code = "game_not_running" // only where the room asks for it
	CodeBusy           Code = "busy"             // the backlog's bound is reached
	CodeUnavailable    Code = "unavailable"      // the journal cannot make it durable now
)

// Codes lists every code, for metrics that have a series for each and for the
// specs.
func Codes() []Code {
	return []Code{
		CodeBadRequest, CodeUnknownGift, CodeBadCount, CodeRateLimited, CodeNotAllowed, CodeDeclined,
		CodeConflict, CodeRoomClosed, CodeGameNotRunning, CodeBusy, CodeUnavailable,
	}
}

// ByeCode says why the server ends a connection.
type ByeCode string

// The bye codes.
const (
	ByeDraining     ByeCode = "draining"
	ByeRoomClosed   ByeCode = "room_closed"
	ByeSlow         ByeCode = "slow"
	ByeExpiredToken ByeCode = "expired_token"
	ByeAbuse        ByeCode = "abuse"
)

// ByeCodes lists every bye code.
func ByeCodes() []ByeCode {
	return []ByeCode{ByeDraining, ByeRoomClosed, ByeSlow, ByeExpiredToken, ByeAbuse}
}

// CloseCode is a WebSocket close status (RFC 6455, section 7.4).
type CloseCode int

// The close codes that the server sends.
const (
	CloseNormal      CloseCode = 1000
	CloseProtocol    CloseCode = 1002 // a broken frame
	CloseUnsupported CloseCode = 1003 // a binary message
	CloseBadUTF8     CloseCode = 1007
	ClosePolicy      CloseCode = 1008 // abuse, slow
	CloseTooBig      CloseCode = 1009 // larger than MessageMax
	CloseRestart     CloseCode = 1012 // draining
)

// CloseCode is the status of the close frame that follows a bye.
func (c ByeCode) CloseCode() CloseCode {
	switch c {
	case ByeDraining:
		return CloseRestart
	case ByeSlow, ByeAbuse:
		return ClosePolicy
	default:
		return CloseNormal
	}
}

// Bounds of frames, in bytes.
const (
	// MessageMax is the largest message that a client may send; a larger one ends the
	// connection with CloseTooBig. The largest honest one is a comment: 200 code points
	// written as 12 byte escapes are 2.4 KB.
	MessageMax = 16 << 10
	// FrameMax is where the server stops adding events to a frame. One event alone may
	// be larger: a flush of 50 gifts is at most 50 x 4 KiB.
	FrameMax = 256 << 10
)

// Subprotocol is the WebSocket sub-protocol that the server selects.
const Subprotocol = "giftwire.v1"

// BearerPrefix marks the sub-protocol by which a browser, which cannot set headers,
// offers its token. It is never selected.
const BearerPrefix = "bearer."

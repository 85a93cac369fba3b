package zego

import (
	"errors"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/room"
)

// CallbackBytes bounds a callback's body; ZEGO's have less than 2 KiB.
const CallbackBytes = 64 << 10

// Errors of [Verifier.Verify]. They are wrapped; use errors.Is. The first is a bad
// request, the others are the caller's lack of a right.
var (
	// ErrCallbackMalformed: too large, not JSON, or a field is missing or unreadable.
	ErrCallbackMalformed = errors.New("zego: malformed callback")
	// ErrCallbackAppID: signed for another AppId.
	ErrCallbackAppID = errors.New("zego: callback of another AppId")
	// ErrCallbackSignature: not signed with the CallbackSecret.
	ErrCallbackSignature = errors.New("zego: wrong callback signature")
	// ErrCallbackExpired: signed more than SignatureWindow ago, or in the future.
	ErrCallbackExpired = errors.New("zego: callback signature expired")
)

// ReportType says what a callback reports.
type ReportType int

// The reports. ZEGO may add others.
const (
	ReportStart      ReportType = 1
	ReportSettlement ReportType = 2
)

// Callback is a verified "report game info". ZEGO may deliver one more than once,
// and a settlement before its start: it is told apart by (MiniGameID, ReportID).
type Callback struct {
	ReportID   string
	Type       ReportType
	MiniGameID string
	RoomID     string
	AnchorID   string
	RoundID    string // unique within the game
	At         int64  // ReportTime, Unix ms
	Result     Settlement
}

// Settlement is how a round ended; only of a [ReportSettlement].
type Settlement struct {
	WinTeam    int    // 0: ZEGO named none
	ResultType int    // 0 normal, 1 by the anchor, 2 timeout, 3 escape, 4 forced, 5 exception
	UserSize   int    // how many took part
	ExtraData  string // JSON for the game's maker, may be empty
}

// Game is the state of the room's game that the callback reports; false for a
// report that says nothing of it.
func (c Callback) Game() (room.Game, bool) {
	switch c.Type {
	case ReportStart:
		return room.Game{State: room.GameRunning, Round: c.RoundID}, true
	case ReportSettlement:
		return room.Game{
			State: room.GameEnded, Round: c.RoundID,
			WinnerTeam: c.Result.WinTeam, ResultType: c.Result.ResultType,
		}, true
	default:
		return room.Game{}, false
	}
}

// VerifierConfig is what checking callbacks takes.
type VerifierConfig struct {
	AppID uint32
	// Secret is the CallbackSecret of ZEGO's console, another one than the
	// ServerSecret.
	Secret Secret
	// Scheme is how ZEGO signs. The default is the likely one.
	Scheme Scheme
}

// Verifier checks and reads ZEGO's callbacks. It is safe for concurrent use.
type Verifier struct{ cfg VerifierConfig }

// NewVerifier checks the config, all faults at once, in one error that wraps
// [ErrBadConfig].
func NewVerifier(cfg VerifierConfig) (*Verifier, error) {
	var faults []error
	if cfg.AppID == 0 {
		faults = append(faults, fmt.Errorf("%w: AppID is missing", ErrBadConfig))
	}
	if cfg.Secret.IsZero() {
		faults = append(faults, fmt.Errorf("%w: the CallbackSecret is missing", ErrBadConfig))
	}
	if cfg.Scheme != SchemeMD5 && cfg.Scheme != SchemeSHA1 {
		faults = append(faults, fmt.Errorf("%w: unknown callback scheme %d", ErrBadConfig, int(cfg.Scheme)))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &Verifier{cfg: cfg}, nil
}

// Verify reads the body of a callback that arrived at now and checks its signature.
// The signature covers AppId, nonce and time only, so within 10 minutes a callback
// can be repeated with another body by who has seen one: take callbacks over HTTPS,
// and each (MiniGameID, ReportID) once.
func (v *Verifier) Verify(body []byte, now time.Time) (Callback, error) {
	report, err := parseReport(body)
	if err != nil {
		return Callback{}, err
	}
	if report.AppID.value != int64(v.cfg.AppID) {
		return Callback{}, ErrCallbackAppID
	}
	stamp := Stamp{AppID: v.cfg.AppID, Nonce: string(report.SignatureNonce), Unix: report.Timestamp.value}
	if !SameSignature(string(report.Signature), stamp.SignCallback(v.cfg.Secret, v.cfg.Scheme)) {
		return Callback{}, ErrCallbackSignature
	}
	if !stamp.Fresh(now) {
		return Callback{}, ErrCallbackExpired
	}
	return report.callback()
}

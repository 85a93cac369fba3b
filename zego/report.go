package zego

import (
	"fmt"
	"math"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/giftwire/giftwire/room"
)

// report is a callback as it comes. ZEGO's pages write the names of its fields in
// two ways, SignatureNonce and signature_nonce; matching ignores case and
// underscores. GameSource, always "zego", is not looked at.
type report struct {
	AppID          number `json:"AppId"`
	SignatureNonce label
	Timestamp      number
	Signature      label
	ReportID       label `json:"ReportId"`
	ReportType     number
	MiniGameID     label `json:"MiniGameId"`
	RoomID         label `json:"RoomId"`
	AnchorID       label `json:"AnchorId"`
	RoundID        label `json:"RoundId"`
	ReportTime     number
	DanmakuResult  struct {
		WinTeam    number
		ResultType number
		UserSize   number
		ExtraData  extra
	}
}

// parseReport reads the body: JSON, or JSON that was URL-encoded, as other
// callbacks of ZEGO are (ZEGO.md, unknown 31).
func parseReport(body []byte) (*report, error) {
	if len(body) > CallbackBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrCallbackMalformed, CallbackBytes)
	}
	var plain report
	err := json.Unmarshal(body, &plain, loose())
	if err == nil {
		return &plain, nil
	}
	unescaped, escapeErr := url.QueryUnescape(string(body))
	if escapeErr != nil || unescaped == string(body) {
		return nil, fmt.Errorf("%w: %w", ErrCallbackMalformed, notUnderstood("the body", err))
	}
	var decoded report
	if err := json.Unmarshal([]byte(unescaped), &decoded, loose()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCallbackMalformed, notUnderstood("the unescaped body", err))
	}
	return &decoded, nil
}

// callback checks the fields of a report whose signature is right.
func (r *report) callback() (Callback, error) {
	for _, id := range []struct {
		name  string
		value label
		most  int
	}{
		{"ReportId", r.ReportID, nameMax},
		{"MiniGameId", r.MiniGameID, nameMax},
		{"RoomId", r.RoomID, 4 * room.RoomIDMax}, // 64 characters of at most 4 bytes
		{"RoundId", r.RoundID, nameMax},
	} {
		if id.value == "" || len(id.value) > id.most || !printable(string(id.value)) {
			return Callback{}, fmt.Errorf("%w: %s must be 1 to %d printable bytes", ErrCallbackMalformed, id.name, id.most)
		}
	}
	if len(r.AnchorID) > nameMax || !printable(string(r.AnchorID)) {
		return Callback{}, fmt.Errorf("%w: AnchorId must be at most %d printable bytes", ErrCallbackMalformed, nameMax)
	}
	if !r.ReportType.given {
		return Callback{}, fmt.Errorf("%w: ReportType is missing", ErrCallbackMalformed)
	}
	at, err := r.at()
	if err != nil {
		return Callback{}, err
	}
	c := Callback{
		ReportID: string(r.ReportID), Type: ReportType(r.ReportType.value),
		MiniGameID: string(r.MiniGameID), RoomID: string(r.RoomID), AnchorID: string(r.AnchorID),
		RoundID: string(r.RoundID), At: at,
	}
	if c.Type != ReportSettlement {
		return c, nil
	}
	if c.Result, err = r.settlement(); err != nil {
		return Callback{}, err
	}
	return c, nil
}

// at is the report's time in Unix ms. The table says milliseconds, the example has
// seconds: what is below 1e11 is seconds, which is the year 5138 in seconds and 1973
// in ms. Without one, the signature's time stands in.
func (r *report) at() (int64, error) {
	at := r.ReportTime.value
	switch {
	case at < 0 || at > 1e15:
		return 0, fmt.Errorf("%w: ReportTime is not a time", ErrCallbackMalformed)
	case at == 0:
		return r.Timestamp.value * 1000, nil
	case at < 1e11:
		return at * 1000, nil
	default:
		return at, nil
	}
}

func (r *report) settlement() (Settlement, error) {
	result := r.DanmakuResult
	for _, n := range []number{result.WinTeam, result.ResultType, result.UserSize} {
		if n.value < math.MinInt32 || n.value > math.MaxInt32 {
			return Settlement{}, fmt.Errorf("%w: a number of DanmakuResult is out of range", ErrCallbackMalformed)
		}
	}
	return Settlement{
		WinTeam:    int(result.WinTeam.value),
		ResultType: int(result.ResultType.value),
		UserSize:   int(result.UserSize.value),
		ExtraData:  string(result.ExtraData),
	}, nil
}

// extra is JSON that should come inside a string, and is kept as it is where it
// does not. Null is empty.
type extra string

// UnmarshalJSONFrom reads the text.
func (e *extra) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case 'n', '"':
		var l label
		err := l.UnmarshalJSONFrom(dec)
		*e = extra(l)
		return err
	default:
		text, err := dec.ReadValue()
		*e = extra(text)
		return err
	}
}

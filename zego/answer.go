package zego

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/giftwire/giftwire/room"
)

// requestIDMax bounds a RequestId in bytes; ZEGO's have 19 digits.
const requestIDMax = 64

// answer is an understood answer.
type answer struct {
	Response
	action Action
	code   int
	data   jsontext.Value // as it came; its shape is known only if code is 0
}

// loose reads what ZEGO may send: other cases and underscores in names, broken
// UTF-8 in messages. Names that stand twice are refused: which one holds would be a
// guess.
func loose() json.Options {
	return json.JoinOptions(json.MatchCaseInsensitiveNames(true), jsontext.AllowInvalidUTF8(true))
}

// parseAnswer understands the envelope of an answer. Its errors hold nothing of the
// text, which may be anything.
func parseAnswer(text []byte) (*answer, error) {
	if len(text) > answerMax {
		return nil, fmt.Errorf("the answer has more than %d bytes", answerMax)
	}
	var envelope struct {
		Code      number
		Message   label
		RequestID label `json:"RequestId"`
		Data      jsontext.Value
	}
	if err := json.Unmarshal(text, &envelope, loose()); err != nil {
		return nil, notUnderstood("the answer", err)
	}
	if !envelope.Code.given || envelope.Code.value > math.MaxInt || envelope.Code.value < math.MinInt {
		return nil, errors.New("the answer has no Code")
	}
	return &answer{
		Response: Response{
			RequestID: clean(string(envelope.RequestID), requestIDMax),
			Message:   string(envelope.Message), // cleaned by the caller, who scrubs it first
		},
		code: int(envelope.Code.value),
		data: envelope.Data,
	}, nil
}

// results reads the rows of a consumed call. A row that cannot be understood is
// left out: to the caller it is missing, and so unknown. Without rows at all the
// call is consumed and every gift of it unknown.
func (a *answer) results() ([]Result, error) {
	var data struct{ Results []jsontext.Value }
	if err := a.readData(&data); err != nil {
		return nil, err
	}
	rows := make([]Result, 0, len(data.Results))
	for _, text := range data.Results {
		var row struct {
			Result    number
			Msg       label
			MsgID     label `json:"MsgId"`
			Timestamp number
		}
		err := json.Unmarshal(text, &row, loose())
		if err != nil || !row.Result.given || row.MsgID == "" {
			continue
		}
		rows = append(rows, Result{
			MsgID: string(row.MsgID), Result: int(row.Result.value),
			Message: clean(string(row.Msg), messageMax), Timestamp: row.Timestamp.value,
		})
	}
	return rows, nil
}

func (a *answer) launchCode() (string, error) {
	var data struct {
		GameLaunchCode label
	}
	if err := a.readData(&data); err != nil {
		return "", err
	}
	if data.GameLaunchCode == "" || !printable(string(data.GameLaunchCode)) {
		return "", a.unknown(errors.New("the answer has no GameLaunchCode"))
	}
	return string(data.GameLaunchCode), nil
}

func (a *answer) readData(into any) error {
	if len(a.data) == 0 {
		return nil
	}
	if err := json.Unmarshal(a.data, into, loose()); err != nil {
		return a.unknown(notUnderstood("Data of the answer", err))
	}
	return nil
}

// unknown is Code 0 with something that cannot be understood behind it.
func (a *answer) unknown(err error) *Error {
	return &Error{
		Action: a.action, Outcome: room.Unknown, Message: clean(err.Error(), messageMax),
		RequestID: a.RequestID, Status: 200, Err: err,
	}
}

// notUnderstood says where reading ended, not what was there.
func notUnderstood(what string, err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%s is not JSON: fault at byte %d", what, syntax.ByteOffset)
	}
	return fmt.Errorf("%s has an unexpected shape", what)
}

// number is an integer that may come as a number or as a string of digits. Null and
// absent are not given.
type number struct {
	value int64
	given bool
}

// UnmarshalJSONFrom reads the integer.
func (n *number) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var l label
	if err := l.UnmarshalJSONFrom(dec); err != nil {
		return err
	}
	if l == "" {
		*n = number{}
		return nil
	}
	v, err := strconv.ParseInt(string(l), 10, 64)
	if err != nil {
		return errors.New("not an integer")
	}
	*n = number{value: v, given: true}
	return nil
}

// label is a text that may come as a string or as a number. Null is empty.
type label string

// UnmarshalJSONFrom reads the text.
func (l *label) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case 'n':
		*l = ""
	case '0', '"':
		*l = label(token.String())
	default:
		return fmt.Errorf("%s where text is expected", token.Kind())
	}
	return nil
}

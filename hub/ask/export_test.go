package ask

import "github.com/giftwire/giftwire/hub/cluster"

// Places at a desk.
const (
	QuestionsMax = questionsMax
	PagesMax     = pagesMax
	QuestionMax  = questionMax
	Version      = version
)

type (
	Question = question
	Answer   = answer
	Reply    = reply
	Kind     = kind
	Code     = code
)

// Kinds are all that are answered.
func Kinds() []Kind { return []Kind{kindState, kindLookup, kindTimeline, kindLedger} }

const (
	KindState    = kindState
	KindTimeline = kindTimeline
	KindLookup   = kindLookup
	KindLedger   = kindLedger
	KindComment  = kindComment
	KindLike     = kindLike
	CodeVersion  = codeVersion
	CodeFailed   = codeFailed
)

var (
	EncodeQuestion = encodeQuestion
	DecodeQuestion = decodeQuestion
	DecodeAnswer   = decodeAnswer
	ErrMessage     = errMessage
)

// EncodeAnswer encodes for the bus.
func EncodeAnswer(a *Answer) ([]byte, error) { return encodeAnswer(a, cluster.MessageMax) }

// Subject of a partition's questions.
func Subject(partition int) string { return subject(partition) }

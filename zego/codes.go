package zego

import (
	"cmp"
	"slices"

	"github.com/giftwire/giftwire/room"
)

// Codes that callers treat by name. [Codes] has all of them.
const (
	CodeOK              = 0
	CodeBadRequest      = 7200004
	CodeInterfaceError  = 7202000
	CodeGameNotFound    = 7202001
	CodeGameIDFormat    = 7202002
	CodeAppIDInvalid    = 7202003
	CodeAuthFailed      = 7203001
	CodeNotStarted      = 7206001
	CodeRoomOccupied    = 7206004 // launch code: another anchor holds the room
	CodeLaunchTooOften  = 7206005 // launch code: asked for too often
	CodeBusinessError   = 7208000
	CodeSystemError     = 7210000
	CodeServiceAbnormal = 7210001

	CodeAppIDFormat       = 100000001
	CodeTimestampEmpty    = 100000002
	CodeTimestampFormat   = 100000003
	CodeSignatureExpired  = 100000004
	CodeSignatureWrong    = 100000005
	CodeActionEmpty       = 100000006
	CodeActionUnsupported = 100000007
	CodeNonceEmpty        = 100000008
	CodeSignatureEmpty    = 100000009
	CodeBodyUnreadable    = 100000012
	CodeVersionEmpty      = 100000013
	CodeVersionUnknown    = 100000014
)

// gatewayFirst and gatewayLast enclose the codes of ZEGO's signature layer.
const (
	gatewayFirst = 100000000
	gatewayLast  = 100000999
)

// Origin says how sure a code's meaning is.
type Origin int

// The origins.
const (
	// Documented: on a page of the mini-game API.
	Documented Origin = iota
	// Analogy: documented for another ZEGO product behind the same gateway.
	Analogy
)

// String is "documented" or "analogy".
func (o Origin) String() string {
	if o == Analogy {
		return "analogy"
	}
	return "documented"
}

// CodeInfo explains one Code of an answer.
type CodeInfo struct {
	Code   int
	Name   string     // a stable label for logs and metrics
	Class  room.Class // what it asks of a room
	Advice string     // for the person who reads the alarm
	Origin Origin
}

// codeTable is the one list of codes: ZEGO's "Global return codes", those that
// only one action's page names, and the gateway's, which are listed for ZEGO's
// other products. Ascending; never written.
var codeTable = []CodeInfo{
	{0, "ok", room.ClassNone, "", Documented},
	{206, "app_rate", room.ClassRetry, "Too many calls for the AppId. Guessed from ZEGO's RTC API.", Analogy},
	{207, "room_rate", room.ClassRetry, "Too many calls for the room. Guessed from ZEGO's RTC API.", Analogy},
	{CodeBadRequest, "bad_request", room.ClassBadRequest, "A parameter is missing, misspelt or wrong.", Documented},
	{7200401, "token_check", room.ClassConfig, "Client SDK token refused; not for servers. Make a new token.", Documented},
	{7201003, "token_decode", room.ClassConfig, "Client SDK token unreadable; not for servers. Make a new token.", Documented},
	{7201005, "token_expired", room.ClassConfig, "Client SDK token expired; not for servers. Make a new token.", Documented},
	{CodeInterfaceError, "interface_error", room.ClassRetry, "Try again; if it stays, ask ZEGO.", Documented},
	{CodeGameNotFound, "game_not_found", room.ClassNoGame, "Check mini_game_id, or ask ZEGO for permission for the game.", Documented},
	{CodeGameIDFormat, "game_id_format", room.ClassNoGame, "mini_game_id must be a string.", Documented},
	{CodeAppIDInvalid, "app_id_invalid", room.ClassConfig, "Check the AppId, and that its mini-game service is enabled.", Documented},
	{CodeAuthFailed, "auth_failed", room.ClassConfig, "Check AppId, ServerSecret and this machine's clock.", Documented},
	{7204002, "order_id", room.ClassRetry, "Of the retired coin calls; not expected.", Documented},
	{7205001, "order_id_twice", room.ClassRetry, "Of the retired coin calls; not expected.", Documented},
	{CodeNotStarted, "game_not_started", room.ClassNotStarted, "Start the game in the room.", Documented},
	{CodeRoomOccupied, "room_occupied", room.ClassConfig, "Another anchor holds the room: the anchor id must be its owner's.", Documented},
	{CodeLaunchTooOften, "launch_too_often", room.ClassRetry, "Launch code asked for too often: try later.", Documented},
	{CodeBusinessError, "business_error", room.ClassRetry, "Follow the message; if it stays, ask ZEGO.", Documented},
	{CodeSystemError, "system_error", room.ClassRetry, "Try again; if it stays, ask ZEGO.", Documented},
	{CodeServiceAbnormal, "service_abnormal", room.ClassRetry, "ZEGO is out of order: ask ZEGO.", Documented},
	{gatewayFirst, "host_header", room.ClassConfig, "Check the base URL.", Analogy},
	{CodeAppIDFormat, "app_id_format", room.ClassConfig, "AppId must be a decimal uint32.", Analogy},
	{CodeTimestampEmpty, "timestamp_empty", room.ClassConfig, "Timestamp is missing.", Analogy},
	{CodeTimestampFormat, "timestamp_format", room.ClassConfig, "Timestamp must be Unix seconds.", Analogy},
	{CodeSignatureExpired, "signature_expired", room.ClassConfig, "This machine's clock is more than 10 minutes off.", Documented},
	{CodeSignatureWrong, "signature_wrong", room.ClassConfig, "Check AppId and ServerSecret.", Documented},
	{CodeActionEmpty, "action_empty", room.ClassConfig, "Action is missing.", Analogy},
	{CodeActionUnsupported, "action_unsupported", room.ClassConfig, "ZEGO does not know the Action: check the base URL.", Analogy},
	{CodeNonceEmpty, "nonce_empty", room.ClassConfig, "SignatureNonce is missing.", Analogy},
	{CodeSignatureEmpty, "signature_empty", room.ClassConfig, "Signature is missing.", Analogy},
	{100000010, "secret_lookup", room.ClassConfig, "ZEGO has no ServerSecret for the AppId: check it.", Analogy},
	{100000011, "app_lookup", room.ClassConfig, "ZEGO has no configuration for the AppId: check it.", Analogy},
	{CodeBodyUnreadable, "body_unreadable", room.ClassConfig, "ZEGO could not read the body.", Analogy},
	{CodeVersionEmpty, "version_empty", room.ClassConfig, "SignatureVersion is missing.", Analogy},
	{CodeVersionUnknown, "version_unknown", room.ClassConfig, "SignatureVersion must be 2.0.", Analogy},
	{100000015, "gateway_error", room.ClassConfig, "ZEGO's gateway is out of order: ask ZEGO.", Analogy},
	{100000016, "no_production", room.ClassConfig, "The app has no production environment: ask ZEGO.", Analogy},
	{100000017, "not_enabled", room.ClassConfig, "The app has not enabled the service: ask ZEGO.", Analogy},
}

// Codes lists every Code that is known, ascending.
func Codes() []CodeInfo { return slices.Clone(codeTable) }

// LookupCode explains a code. One that is not listed gets the name "unknown" and
// false: from the signature layer's range it is a matter of configuration, any
// other asks for a retry with the same MsgIds, because ZEGO does not say which
// code means "too many calls".
func LookupCode(code int) (CodeInfo, bool) {
	at, found := slices.BinarySearchFunc(codeTable, code, func(c CodeInfo, code int) int { return cmp.Compare(c.Code, code) })
	if found {
		return codeTable[at], true
	}
	info := CodeInfo{Code: code, Name: "unknown", Class: room.ClassRetry, Advice: "Ask ZEGO.", Origin: Analogy}
	if code >= gatewayFirst && code <= gatewayLast {
		info.Class = room.ClassConfig
	}
	return info, false
}

// Results of one gift that callers treat by name. [Results] has all of them.
const (
	ResultOK         = 0
	ResultNotJoined  = 10003
	ResultNoSuchGift = 10004
	ResultException  = 10005
	ResultPending    = 10006
)

// ResultInfo explains one Result of a row.
type ResultInfo struct {
	Result int
	Name   string
	Class  room.ResultClass
	Advice string
}

// resultTable is the one list of results, from "Send gifts" and "Check gift
// sending results". Ascending; never written.
var resultTable = []ResultInfo{
	{ResultOK, "ok", room.ResultDelivered, ""},
	{ResultNotJoined, "not_joined", room.ResultNotJoined, "The viewer has not joined the game, or the room does not exist or has ended."},
	{ResultNoSuchGift, "no_such_gift", room.ResultNoSuchGift, "The gift, or its value, is not configured at ZEGO: check the catalogue."},
	{ResultException, "exception", room.ResultException, "Whether the effect happened is not known: ask ZEGO."},
	{ResultPending, "pending", room.ResultPending, "Being processed: not a failure. Ask again under the same MsgId."},
}

// Results lists every Result that is known, ascending.
func Results() []ResultInfo { return slices.Clone(resultTable) }

// LookupResult explains a result. One that is not listed gets the name "unknown",
// [room.ResultOther] and false.
func LookupResult(result int) (ResultInfo, bool) {
	for _, r := range resultTable {
		if r.Result == result {
			return r, true
		}
	}
	return ResultInfo{Result: result, Name: "unknown", Class: room.ResultOther, Advice: "Ask ZEGO."}, false
}

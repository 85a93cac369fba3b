package zegotest

import (
	"net/url"
	"strconv"
	"time"

	"github.com/giftwire/giftwire/zego"
)

// nonceMax bounds a SignatureNonce (ours): ZEGO's samples have 14 and 16 characters.
const nonceMax = 64

// authenticate checks the query parameters of a call that arrived at now. The codes
// of a parameter that is missing or unreadable are those that ZEGO lists for other
// products behind the same gateway.
func (s *Server) authenticate(query url.Values, now time.Time) *refusal {
	stamp, refused := readStamp(query)
	if refused != nil {
		return refused
	}
	signature := query.Get("Signature")
	switch version := query.Get("SignatureVersion"); {
	case signature == "":
		return refuse(zego.CodeSignatureEmpty, "Signature is missing")
	case version == "":
		return refuse(zego.CodeVersionEmpty, "SignatureVersion is missing")
	case version != zego.SignatureVersion:
		return refuse(zego.CodeVersionUnknown, "SignatureVersion must be %s", zego.SignatureVersion)
	case stamp.AppID != s.cfg.AppID:
		return refuse(zego.CodeAppIDInvalid, "AppId is not known")
	case !stamp.Fresh(now):
		return refuse(zego.CodeSignatureExpired, "signature expired")
	case !zego.SameSignature(signature, stamp.SignRequest(s.cfg.ServerSecret)):
		return refuse(zego.CodeSignatureWrong, "signature wrong")
	}
	if s.cfg.Body.RefuseNonceReplay {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.nonces.fresh(nonce{stamp.Nonce, stamp.Unix}) {
			return refuse(zego.CodeSignatureWrong, "signature used before")
		}
	}
	return nil
}

func readStamp(query url.Values) (zego.Stamp, *refusal) {
	for _, name := range []string{"Action", "AppId", "SignatureNonce", "Timestamp", "Signature", "SignatureVersion"} {
		if len(query[name]) > 1 {
			return zego.Stamp{}, refuse(zego.CodeBadRequest, "%s is given more than once", name)
		}
	}
	action := zego.Action(query.Get("Action"))
	switch {
	case action == "":
		return zego.Stamp{}, refuse(zego.CodeActionEmpty, "Action is missing")
	case action.PerSecond() == 0:
		return zego.Stamp{}, refuse(zego.CodeActionUnsupported, "Action is not supported")
	}
	app, err := strconv.ParseUint(query.Get("AppId"), 10, 32)
	if err != nil {
		return zego.Stamp{}, refuse(zego.CodeAppIDFormat, "AppId must be a decimal uint32")
	}
	if query.Get("Timestamp") == "" {
		return zego.Stamp{}, refuse(zego.CodeTimestampEmpty, "Timestamp is missing")
	}
	unix, err := strconv.ParseInt(query.Get("Timestamp"), 10, 64)
	if err != nil {
		return zego.Stamp{}, refuse(zego.CodeTimestampFormat, "Timestamp must be Unix seconds")
	}
	nonce := query.Get("SignatureNonce")
	if nonce == "" {
		return zego.Stamp{}, refuse(zego.CodeNonceEmpty, "SignatureNonce is missing")
	}
	for _, c := range []byte(nonce) {
		if c <= ' ' || c > '~' || len(nonce) > nonceMax {
			return zego.Stamp{}, refuse(zego.CodeBadRequest, "SignatureNonce must have 1 to %d printable characters", nonceMax)
		}
	}
	return zego.Stamp{AppID: uint32(app), Nonce: nonce, Unix: unix}, nil
}

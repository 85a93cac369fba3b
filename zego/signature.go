package zego

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SignatureVersion is the only version that ZEGO knows ("Make API requests").
const SignatureVersion = "2.0"

// SignatureWindow is how far a Timestamp may be off ZEGO's clock ("Make API
// requests": 10 minutes). The same window is ours for callbacks.
const SignatureWindow = 10 * time.Minute

// Scheme is how a callback is signed. ZEGO's pages contradict each other.
type Scheme int

// The schemes.
const (
	// SchemeMD5 is the product's own rule and the one to try first: md5 of AppId,
	// SignatureNonce, CallbackSecret and Timestamp ("Make API requests", identity
	// authentication).
	SchemeMD5 Scheme = iota
	// SchemeSHA1 is a generic text that the Chinese callback page includes since
	// 2025-05-19: sha1 of CallbackSecret, Timestamp and nonce, sorted.
	SchemeSHA1
)

// String is the scheme's name in settings: md5 or sha1.
func (s Scheme) String() string {
	if s == SchemeSHA1 {
		return "sha1"
	}
	return "md5"
}

// Stamp is what a signature covers beside the secret. Body and Action are not
// covered.
type Stamp struct {
	AppID uint32
	Nonce string
	Unix  int64 // seconds
}

// SignRequest is the Signature of a call: 32 lower-case hexadecimal digits, md5 of
// AppId, SignatureNonce, ServerSecret and Timestamp joined without separators.
func (s Stamp) SignRequest(server Secret) string {
	return s.md5(server)
}

// SignCallback is the Signature of a callback under the scheme.
func (s Stamp) SignCallback(callback Secret, scheme Scheme) string {
	if scheme == SchemeSHA1 {
		return s.sha1(callback)
	}
	return s.md5(callback)
}

func (s Stamp) md5(secret Secret) string {
	text := make([]byte, 0, 10+len(s.Nonce)+64+20)
	text = strconv.AppendUint(text, uint64(s.AppID), 10)
	text = append(text, s.Nonce...)
	text = append(text, secret.reveal()...)
	text = strconv.AppendInt(text, s.Unix, 10)
	sum := md5.Sum(text)
	return hex.EncodeToString(sum[:])
}

func (s Stamp) sha1(secret Secret) string {
	parts := []string{secret.reveal(), strconv.FormatInt(s.Unix, 10), s.Nonce}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

// Fresh reports whether the stamp's time is at most [SignatureWindow] away from
// now, in either direction.
func (s Stamp) Fresh(now time.Time) bool {
	// Unix seconds far outside a Duration's 292 years would overflow Sub, so the
	// comparison is in seconds.
	window := int64(SignatureWindow / time.Second)
	return s.Unix >= now.Unix()-window && s.Unix <= now.Unix()+window
}

// SameSignature compares two signatures in constant time. Lower case only, as
// ZEGO writes them.
func SameSignature(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// newNonce is 8 random bytes in hexadecimal, as the Chinese page wants it.
func newNonce() string {
	var b [8]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b[:])
}

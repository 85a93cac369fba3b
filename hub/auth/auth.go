// Package auth says who may do what: viewers by their tokens, platforms by their
// API keys. It knows strings, not requests: where a token stands in a request is
// the caller's business.
package auth

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/giftwire/giftwire/room"
)

// Identity is what a token says of its bearer, checked: the only source of what
// ZEGO and other viewers see of a user (P15).
type Identity struct {
	User room.User
	// Room is the only room that the token opens; empty: any.
	Room string
	// Can is what the bearer may do besides watching.
	Can Rights
	// Expires is when the token ends, and with it every connection that it opened.
	Expires time.Time
}

// Rights are what a viewer may do, a set.
type Rights uint8

// The rights.
const (
	CanGift Rights = 1 << iota
	CanComment
	CanLike
	// CanAll is the default of a token that does not say.
	CanAll = CanGift | CanComment | CanLike
)

// Has reports whether all of need are in the set.
func (r Rights) Has(need Rights) bool { return r&need == need }

// Authenticator checks viewers' tokens. It must be safe for concurrent use, may
// block no longer than ctx, and must never repeat the token in an error.
type Authenticator interface {
	// Authenticate returns the identity, or an error that wraps ErrBadToken when the
	// token is the bearer's fault, any other error when it could not be checked.
	Authenticate(ctx context.Context, token string) (Identity, error)
}

// ErrBadToken is wrapped by every error about the token itself: malformed,
// wrongly signed, expired, or with claims that make no identity.
var ErrBadToken = errors.New("auth: bad token")

// Bearer returns the credential of an Authorization header (RFC 6750, section
// 2.1); ok is false where the header is not of that scheme.
func Bearer(header string) (credential string, ok bool) {
	scheme, credential, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	credential = strings.TrimSpace(credential)
	return credential, credential != ""
}

package auth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/giftwire/giftwire/hub/auth"
)

// FuzzClaims signs any JSON as claims: what is taken makes an identity that ZEGO
// takes, everything else is a bad token, and nothing panics.
func FuzzClaims(f *testing.F) {
	h, err := auth.NewHS256(auth.HS256Config{Secret: []byte(secret)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, claims []byte) {
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, nil)
		text := token.EncodeSegment([]byte(`{"alg":"HS256"}`)) + "." + token.EncodeSegment(claims)
		sig, err := jwt.SigningMethodHS256.Sign(text, []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		id, err := h.Authenticate(t.Context(), text+"."+token.EncodeSegment(sig))
		switch {
		case err != nil && !errors.Is(err, auth.ErrBadToken):
			t.Errorf("error %v", err)
		case err == nil && (id.User.Check() != nil || !id.Expires.After(time.Now()) || id.Can&^auth.CanAll != 0):
			t.Errorf("taken: %+v", id)
		}
	})
}

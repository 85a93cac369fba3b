package auth_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/room"
)

const secret = "0123456789abcdef0123456789abcdef"

func newHS256(t *testing.T) *auth.HS256 {
	t.Helper()
	h, err := auth.NewHS256(auth.HS256Config{Secret: []byte(secret), Avatar: "https://cdn.example.com/nobody.png"})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// claims are good ones, changed; a nil value takes a claim away.
func claims(change jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{"sub": "u1", "aud": "giftwire", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range change {
		c[name] = value
		if value == nil {
			delete(c, name)
		}
	}
	return c
}

type null struct{}

func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

func sign(t *testing.T, c jwt.Claims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestHS256Takes(t *testing.T) {
	t.Parallel()
	const nobody = "https://cdn.example.com/nobody.png"
	long := strings.Repeat("a1", 24)
	tests := []struct {
		name   string
		change jwt.MapClaims
		want   auth.Identity
	}{
		{name: "the least", want: auth.Identity{User: room.User{ID: "u1", Nickname: "u1", Avatar: nobody}, Can: auth.CanAll}},
		{
			name: "all",
			change: jwt.MapClaims{
				"nickname": "Ann 🚀", "avatar": "http://x.example/a", "sex": 2, "room": "r-1_A",
				"can": []string{"like", "gift"}, "aud": []string{"other", "giftwire"}, "kid": "ours",
			},
			want: auth.Identity{
				User: room.User{ID: "u1", Nickname: "Ann 🚀", Avatar: "http://x.example/a", Sex: 2},
				Room: "r-1_A", Can: auth.CanGift | auth.CanLike,
			},
		},
		{
			name:   "nickname from a long sub",
			change: jwt.MapClaims{"sub": long},
			want:   auth.Identity{User: room.User{ID: long, Nickname: long[:32], Avatar: nobody}, Can: auth.CanAll},
		},
		{
			name:   "watch only, sex not told",
			change: jwt.MapClaims{"can": []string{}, "sex": "male"},
			want:   auth.Identity{User: room.User{ID: "u1", Nickname: "u1", Avatar: nobody}},
		},
		{
			name:   "sex of another number",
			change: jwt.MapClaims{"sex": 3},
			want:   auth.Identity{User: room.User{ID: "u1", Nickname: "u1", Avatar: nobody}, Can: auth.CanAll},
		},
	}
	h := newHS256(t)
	for _, tt := range tests {
		c := claims(tt.change)
		tt.want.Expires = time.Unix(c["exp"].(int64), 0)
		got, err := h.Authenticate(t.Context(), sign(t, c))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestHS256Refuses(t *testing.T) {
	t.Parallel()
	bad := map[string]jwt.MapClaims{
		"no exp":                 {"exp": nil},
		"exp null":               {"exp": null{}},
		"exp string":             {"exp": "2099-01-01"},
		"exp zero":               {"exp": 0},
		"exp now":                {"exp": time.Now().Unix()},
		"expired":                {"exp": time.Now().Add(-time.Second).Unix()},
		"not yet":                {"nbf": time.Now().Add(time.Minute).Unix()},
		"no aud":                 {"aud": nil},
		"aud other":              {"aud": "zego"},
		"aud number":             {"aud": 1},
		"no sub":                 {"sub": nil},
		"sub empty":              {"sub": ""},
		"sub with a dash":        {"sub": "u-1"},
		"sub too long":           {"sub": strings.Repeat("a", 49)},
		"sub number":             {"sub": 17},
		"sub in other case":      {"sub": nil, "SUB": "u1"},
		"nickname empty":         {"nickname": ""},
		"nickname too long":      {"nickname": strings.Repeat("ä", 33)},
		"nickname null":          {"nickname": null{}},
		"nickname control":       {"nickname": "a\nb"},
		"avatar empty":           {"avatar": ""},
		"avatar script":          {"avatar": "javascript:alert(1)"},
		"avatar relative":        {"avatar": "/a.png"},
		"avatar too long":        {"avatar": "https://e.example/" + strings.Repeat("a", 1024)},
		"room bad":               {"room": "a/b"},
		"room empty":             {"room": ""},
		"room number":            {"room": 1},
		"can string":             {"can": "gift"},
		"can unknown":            {"can": []string{"gift", "ban"}},
		"can in other case":      {"can": []string{"Gift"}},
		"can null":               {"can": null{}},
		"can with a number":      {"can": []any{1}},
		"longer than is read":    {"pad": strings.Repeat("a", auth.TokenMax)},
		"two audiences, neither": {"aud": []string{"a", "b"}},
	}
	h := newHS256(t)
	for name, change := range bad {
		if got, err := h.Authenticate(t.Context(), sign(t, claims(change))); !errors.Is(err, auth.ErrBadToken) {
			t.Errorf("%s: %+v, error %v, want ErrBadToken", name, got, err)
		}
	}
}

// TestHS256Forged: tokens whose claims are good, and which the platform has not
// signed so.
func TestHS256Forged(t *testing.T) {
	t.Parallel()
	good := sign(t, claims(nil))
	parts := strings.Split(good, ".")
	encode := base64.RawURLEncoding.EncodeToString
	mac := func(method jwt.SigningMethod, header, key string) string {
		text := encode([]byte(header)) + "." + parts[1]
		sig, err := method.Sign(text, []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + encode(sig)
	}
	tests := map[string]string{
		"empty":            "",
		"one part":         "x",
		"two parts":        parts[0] + "." + parts[1],
		"four parts":       good + ".x",
		"no signature":     parts[0] + "." + parts[1] + ".",
		"alg none":         encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + ".",
		"alg none, signed": encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + "." + parts[2],
		"alg None":         encode([]byte(`{"alg":"None"}`)) + "." + parts[1] + ".",
		"HS512":            mac(jwt.SigningMethodHS512, `{"alg":"HS512"}`, secret),
		"HS256 by HS384":   mac(jwt.SigningMethodHS384, `{"alg":"HS256"}`, secret),
		"RS256":            encode([]byte(`{"alg":"RS256"}`)) + "." + parts[1] + "." + parts[2],
		"another secret":   mac(jwt.SigningMethodHS256, `{"alg":"HS256"}`, secret+"0"),
		"empty secret":     mac(jwt.SigningMethodHS256, `{"alg":"HS256"}`, ""),
		"critical":         mac(jwt.SigningMethodHS256, `{"alg":"HS256","crit":["b64"],"b64":false}`, secret),
		"claims changed": parts[0] + "." + encode([]byte(
			`{"sub":"boss","aud":"giftwire","exp":99999999999}`)) + "." + parts[2],
		"padded": good + "=",
		"spaces": " " + good,
	}
	h := newHS256(t)
	if _, err := h.Authenticate(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	for name, token := range tests {
		got, err := h.Authenticate(t.Context(), token)
		if !errors.Is(err, auth.ErrBadToken) {
			t.Errorf("%s: %+v, error %v, want ErrBadToken", name, got, err)
			continue
		}
		for _, part := range strings.Split(token, ".") {
			if len(part) > 8 && strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error repeats the token: %v", name, err)
			}
		}
	}
}

// TestHS256Expires: a token ends at its exp, to the second.
func TestHS256Expires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHS256(t)
		token, err := h.Token(auth.Identity{User: room.User{ID: "u1"}, Expires: time.Now().Add(time.Minute), Can: auth.CanAll})
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute - time.Nanosecond)
		id, err := h.Authenticate(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Nanosecond)
		if _, err := h.Authenticate(t.Context(), token); !errors.Is(err, auth.ErrBadToken) {
			t.Errorf("at exp: %v", err)
		}
		if !id.Expires.Equal(time.Now()) {
			t.Errorf("Expires %v, now %v", id.Expires, time.Now())
		}
	})
}

func TestTokenRoundTrip(t *testing.T) {
	t.Parallel()
	h := newHS256(t)
	for _, can := range []auth.Rights{0, auth.CanGift, auth.CanComment | auth.CanLike, auth.CanAll} {
		want := auth.Identity{
			User: room.User{ID: "u1", Nickname: "Ann", Avatar: "https://e.example/a.png", Sex: 1},
			Room: "r1", Can: can, Expires: time.Now().Add(time.Hour).Truncate(time.Second),
		}
		token, err := h.Token(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.Authenticate(t.Context(), token)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("error %v (-want +got):\n%s", err, diff)
		}
	}
	if _, err := h.Token(auth.Identity{User: room.User{ID: "u1"}}); err == nil {
		t.Error("a token without an end was signed")
	}
}

func TestNewHS256Refuses(t *testing.T) {
	t.Parallel()
	_, err := auth.NewHS256(auth.HS256Config{Avatar: "ftp://x"})
	if !errors.Is(err, auth.ErrBadConfig) || !strings.Contains(err.Error(), "Secret") || !strings.Contains(err.Error(), "Avatar") {
		t.Errorf("error %v, want both faults", err)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	keys, err := auth.NewKeys("old-key", "new-key")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{
		"old-key": true, "new-key": true, "": false, "old-ke": false, "old-keys": false, "OLD-KEY": false, "old-keynew-key": false,
	} {
		if got := keys.Match(key); got != want {
			t.Errorf("Match(%q) = %v", key, got)
		}
	}
	if (auth.Keys{}).Match("") {
		t.Error("no keys match the empty key")
	}
	if _, err := auth.NewKeys("a", ""); !errors.Is(err, auth.ErrBadConfig) {
		t.Errorf("an empty key: %v", err)
	}
}

func TestBearer(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"Bearer abc": "abc", "bearer abc": "abc", "BEARER  abc ": "abc",
		"": "", "abc": "", "Basic abc": "", "Bearer": "", "Bearer ": "", "Bearerabc": "",
	} {
		got, ok := auth.Bearer(header)
		if got != want || ok != (want != "") {
			t.Errorf("Bearer(%q) = %q, %v", header, got, ok)
		}
	}
}

func BenchmarkHS256(b *testing.B) {
	h, err := auth.NewHS256(auth.HS256Config{Secret: []byte(secret)})
	if err != nil {
		b.Fatal(err)
	}
	token, err := h.Token(auth.Identity{User: room.User{ID: "u1"}, Expires: time.Now().Add(time.Hour), Can: auth.CanAll})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Authenticate(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/giftwire/giftwire/room"
)

// Defaults of [HS256Config].
const (
	DefaultAudience = "giftwire"
	DefaultAvatar   = "https://example.com/avatar.png"
)

// TokenMax is the longest token that is looked at, in bytes. Claims at all their
// bounds are below 3 KB; the rest is room for claims that are not ours.
const TokenMax = 8 << 10

// SecretRecommended is how many bytes a secret should have at least: as many as the
// hash (RFC 7518, section 3.2). Shorter ones work, and can be guessed.
const SecretRecommended = 32

// HS256Config is what an [HS256] needs.
type HS256Config struct {
	Secret []byte // must not be empty
	// Audience must be in the token's aud. Default "giftwire".
	Audience string
	// Avatar is shown for users whose token has none: an http or https URL of at most
	// 1024 bytes. Default an example image.
	Avatar string
}

// HS256 takes JWTs (RFC 7519) that the platform signed with a secret it shares with
// the hub. The algorithm is fixed here, whatever the token says. exp is required and
// aud must hold the audience; nbf is heeded. The other claims:
//
//	sub       user id, [0-9A-Za-z]{1,48}, required
//	nickname  1 to 32 characters; default: sub's first 32
//	avatar    http or https URL, at most 1024 bytes; default: by setting
//	sex       1 male, 2 female; anything else is not told
//	room      the only room that the token opens; default: any
//	can       list out of gift, comment, like; default: all; empty: watch only
//
// A claim that is there and malformed, null included, makes the token bad: guessing
// at what the platform meant would show a wrong name or give a right.
type HS256 struct {
	secret   []byte
	audience string
	avatar   string
	parser   *jwt.Parser
}

// ErrBadConfig is wrapped by errors of [NewHS256] and [NewKeys].
var ErrBadConfig = errors.New("auth: bad config")

// NewHS256 checks the configuration, all faults at once.
func NewHS256(cfg HS256Config) (*HS256, error) {
	if cfg.Audience == "" {
		cfg.Audience = DefaultAudience
	}
	if cfg.Avatar == "" {
		cfg.Avatar = DefaultAvatar
	}
	var faults []error
	if len(cfg.Secret) == 0 {
		faults = append(faults, fmt.Errorf("%w: Secret is missing", ErrBadConfig))
	}
	if err := (room.User{ID: "u", Nickname: "u", Avatar: cfg.Avatar}).Check(); err != nil {
		faults = append(faults, fmt.Errorf("%w: Avatar: %w", ErrBadConfig, err))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return &HS256{
		secret:   append([]byte(nil), cfg.Secret...),
		audience: cfg.Audience,
		avatar:   cfg.Avatar,
		parser: jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithAudience(cfg.Audience), jwt.WithExpirationRequired(), jwt.WithStrictDecoding()),
	}, nil
}

// Authenticate implements [Authenticator]. It does not block.
func (h *HS256) Authenticate(_ context.Context, token string) (Identity, error) {
	if len(token) > TokenMax {
		return Identity{}, fmt.Errorf("%w: longer than %d bytes", ErrBadToken, TokenMax)
	}
	// A map, because a struct would take claims in other cases for ours.
	claims := jwt.MapClaims{}
	parsed, err := h.parser.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return h.secret, nil })
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %s", ErrBadToken, why(err))
	}
	if _, critical := parsed.Header["crit"]; critical { // RFC 7515, section 4.1.11: we know none
		return Identity{}, fmt.Errorf("%w: it has critical header parameters", ErrBadToken)
	}
	id, err := h.identity(claims)
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrBadToken, err)
	}
	return id, nil
}

// why is the part of the parser's error that can be told: its texts may quote the
// token.
func why(err error) string {
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return "it has expired"
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return "it is not valid yet"
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return "it is for another audience"
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return "exp and aud are required"
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "its signature or algorithm is not the expected one"
	default:
		return "it is malformed"
	}
}

func (h *HS256) identity(claims jwt.MapClaims) (Identity, error) {
	exp, err := claims.GetExpirationTime()
	if err != nil || exp == nil {
		return Identity{}, errors.New("exp is not a time")
	}
	id := Identity{Expires: exp.Time}
	if id.User.ID, err = text(claims, "sub", ""); err != nil {
		return Identity{}, err
	}
	if id.User.Nickname, err = text(claims, "nickname", firstRunes(id.User.ID, room.NicknameMax)); err != nil {
		return Identity{}, err
	}
	if id.User.Avatar, err = text(claims, "avatar", h.avatar); err != nil {
		return Identity{}, err
	}
	if sex, ok := claims["sex"].(float64); ok && (sex == room.Male || sex == room.Female) {
		id.User.Sex = int(sex)
	}
	if err := id.User.Check(); err != nil {
		return Identity{}, err
	}
	if id.Room, err = text(claims, "room", ""); err != nil {
		return Identity{}, err
	}
	if _, given := claims["room"]; given {
		if err := room.CheckRoomID(id.Room); err != nil {
			return Identity{}, err
		}
	}
	id.Can, err = rights(claims)
	return id, err
}

// text is a string claim, or what holds where there is none.
func text(claims jwt.MapClaims, name, absent string) (string, error) {
	value, given := claims[name]
	if !given {
		return absent, nil
	}
	s, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%s is not a string", name)
	}
	return s, nil
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func rights(claims jwt.MapClaims) (Rights, error) {
	value, given := claims["can"]
	if !given {
		return CanAll, nil
	}
	list, ok := value.([]any)
	if !ok {
		return 0, errors.New("can is not a list")
	}
	var can Rights
	for _, v := range list {
		name, _ := v.(string)
		right, known := rightOf(name)
		if !known {
			return 0, errors.New("can holds something else than gift, comment and like")
		}
		can |= right
	}
	return can, nil
}

func rightOf(name string) (right Rights, known bool) {
	switch name {
	case "gift":
		return CanGift, true
	case "comment":
		return CanComment, true
	case "like":
		return CanLike, true
	default:
		return 0, false
	}
}

// Token signs a token for the identity, as the platform does: for development,
// tests and the command line. Fields that are zero become no claim, but Expires
// which must be set, and Can: the zero Rights watch only.
func (h *HS256) Token(id Identity) (string, error) {
	if id.Expires.IsZero() || !utf8.ValidString(id.User.Nickname) {
		return "", fmt.Errorf("%w: an identity needs Expires and a nickname of valid UTF-8", ErrBadConfig)
	}
	claims := jwt.MapClaims{
		"sub": id.User.ID, "aud": h.audience, "exp": id.Expires.Unix(), "iat": time.Now().Unix(),
	}
	for name, value := range map[string]string{
		"nickname": id.User.Nickname, "avatar": id.User.Avatar, "room": id.Room,
	} {
		if value != "" {
			claims[name] = value
		}
	}
	if id.User.Sex != 0 {
		claims["sex"] = id.User.Sex
	}
	if id.Can != CanAll {
		can := []string{}
		for _, name := range []string{"gift", "comment", "like"} {
			if right, _ := rightOf(name); id.Can.Has(right) {
				can = append(can, name)
			}
		}
		claims["can"] = can
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(h.secret)
	if err != nil {
		return "", fmt.Errorf("auth: sign: %w", err)
	}
	return token, nil
}

package zego_test

import (
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/zego"
)

// The vectors of ZEGO.md 4.1. V1 and V5 are ZEGO's own.
func TestSignatureVectors(t *testing.T) {
	const (
		server   = "9193cc662a4c0ec135ec71fb57194b38"
		callback = "callbacksecret0123456789abcdef00"
	)
	md5 := func(s zego.Stamp, secret zego.Secret) string { return s.SignCallback(secret, zego.SchemeMD5) }
	sha1 := func(s zego.Stamp, secret zego.Secret) string { return s.SignCallback(secret, zego.SchemeSHA1) }
	for _, v := range []struct {
		name   string
		sign   func(zego.Stamp, zego.Secret) string
		stamp  zego.Stamp
		secret string
		want   string
	}{
		{"V1", zego.Stamp.SignRequest, zego.Stamp{AppID: 12345, Nonce: "4fd24687296dd9f3", Unix: 1615186943}, server, "43e5cfcca828314675f91b001390566a"},
		{"V2", zego.Stamp.SignRequest, zego.Stamp{AppID: 1234567890, Nonce: "15215528852396", Unix: 1234567890}, server, "fd073df96353db811d9c650aa3fd93d8"},
		{"V3", zego.Stamp.SignRequest, zego.Stamp{AppID: 4294967295, Nonce: "0123456789abcdef", Unix: 1700000000}, strings.Repeat("0", 32), "885cbdf24d6cf7bd9f82e145d7be7bfd"},
		{"V4", md5, zego.Stamp{AppID: 1234567890, Nonce: "15215528852396", Unix: 1234567890}, callback, "da9867b3b613b59a2f1562c0a48f5f35"},
		{"V5", sha1, zego.Stamp{Nonce: "123412", Unix: 1470820198}, "secret", "5bd59fd62953a8059fb7eaba95720f66d19e4517"},
		{"V6", sha1, zego.Stamp{Nonce: "15215528852396", Unix: 1234567890}, callback, "722f6668cdc40d614d0f728edfb771de566b3c2d"},
	} {
		if got := v.sign(v.stamp, zego.NewSecret(v.secret)); got != v.want {
			t.Errorf("%s: %s, want %s", v.name, got, v.want)
		}
	}
}

func TestStampFresh(t *testing.T) {
	now := time.Unix(1_700_000_000, 999_000_000)
	for _, tt := range []struct {
		unix int64
		want bool
	}{
		{1_700_000_000, true},
		{1_700_000_600, true},
		{1_700_000_601, false},
		{1_699_999_400, true},
		{1_699_999_399, false},
		{0, false},
		{-1 << 63, false},
		{1<<63 - 1, false},
	} {
		if got := (zego.Stamp{Unix: tt.unix}).Fresh(now); got != tt.want {
			t.Errorf("Fresh(%d) = %v, want %v", tt.unix, got, tt.want)
		}
	}
}

func TestSameSignature(t *testing.T) {
	const sig = "43e5cfcca828314675f91b001390566a"
	for other, want := range map[string]bool{
		sig:                  true,
		strings.ToUpper(sig): false,
		sig[:31]:             false,
		sig + "0":            false,
		"":                   false,
	} {
		if got := zego.SameSignature(sig, other); got != want {
			t.Errorf("SameSignature(%q) = %v, want %v", other, got, want)
		}
	}
}

package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
)

// KeyRecommended is how many bytes an API key should have at least: 16 random bytes
// cannot be guessed.
const KeyRecommended = 16

// Keys are the platform's API keys. The zero Keys match nothing.
type Keys struct {
	sums [][sha256.Size]byte
}

// NewKeys takes the keys, of which none may be empty: more than one, so that a key
// can be changed without a gap.
func NewKeys(keys ...string) (Keys, error) {
	var k Keys
	for i, key := range keys {
		if key == "" {
			return Keys{}, fmt.Errorf("%w: API key number %d is empty", ErrBadConfig, i+1)
		}
		k.sums = append(k.sums, sha256.Sum256([]byte(key)))
	}
	return k, nil
}

// Match reports whether key is one of the keys. It takes the same time for every
// wrong key: hashes have one length, and all of them are compared.
func (k Keys) Match(key string) bool {
	sum := sha256.Sum256([]byte(key))
	found := 0
	for i := range k.sums {
		found |= subtle.ConstantTimeCompare(sum[:], k.sums[i][:])
	}
	return found == 1
}

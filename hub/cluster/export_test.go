package cluster

// Leases are where a test keeps leases.
type Leases = leases

// ErrMoved is what they answer to a write behind a revision that is not the newest.
var ErrMoved = errMoved

// NewMembers makes members of a node whose leases are elsewhere.
func NewMembers(l Leases, cfg MembersConfig) *Members {
	return newMembers(l, func() error { return nil }, cfg)
}

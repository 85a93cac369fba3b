package cluster

import (
	"log/slog"
	"testing"
	"time"
)

// After all NATS servers were started anew the bucket's revisions begin at 1 again: what
// was known has to be forgotten, or newer leases would pass for old ones.
func TestBucketMadeAnew(t *testing.T) {
	changes := 0
	m := &Members{
		cfg:    MembersConfig{Node: "a", Changed: func() { changes++ }, Logger: slog.New(slog.DiscardHandler)},
		census: newCensus("a"),
	}
	now := time.Now()
	for node, revision := range map[string]uint64{"a": 60, "b": 61} {
		m.census.saw(node, seat{incarnation: "old", revision: revision}, now)
	}
	if m.remade("b", 61) || m.remade("b", 62) || changes != 0 {
		t.Error("a lease that was renewed, or is the same, makes the bucket another one")
	}
	if !m.remade("b", 1) || changes != 1 || len(m.Living()) != 0 {
		t.Errorf("revision 1 after 61: %d changes, living %v", changes, m.Living())
	}
	if !m.census.saw("b", seat{incarnation: "new", revision: 1}, now) {
		t.Error("the new lease is not believed")
	}
	m.census.saw("c", seat{incarnation: "old", revision: 9}, now)
	if !m.remade("c", 0) { // it has no lease in the new bucket
		t.Error("a lease that is not there makes the bucket no other one")
	}
}

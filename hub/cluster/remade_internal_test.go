package cluster

import (
	"fmt"
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
	old := seat{incarnation: "old", revision: 61}
	if m.remade("b", old) || m.remade("b", seat{incarnation: "old", revision: 62}) ||
		m.remade("b", seat{incarnation: "new", revision: 63}) || changes != 0 {
		t.Error("a lease that was renewed, or is the same, makes the bucket another one")
	}
	if !m.remade("b", seat{incarnation: "new", revision: 1}) || changes != 1 || len(m.Living()) != 0 {
		t.Errorf("revision 1 after 61: %d changes, living %v", changes, m.Living())
	}
	if !m.census.saw("b", seat{incarnation: "new", revision: 1}, now) {
		t.Error("the new lease is not believed")
	}
	m.census.saw("c", seat{incarnation: "old", revision: 9}, now)
	if !m.remade("c", seat{}) { // it has no lease in the new bucket
		t.Error("a lease that is not there makes the bucket no other one")
	}
	// The new bucket's revisions have come to where the old one's were.
	m.census.saw("d", seat{incarnation: "old", revision: 9}, now)
	if !m.remade("d", seat{incarnation: "new", revision: 9}) {
		t.Error("another life with the revision of the old one makes the bucket no other one")
	}
}

// Leases that the bucket forgot are over 2 s after they were first missed, each.
func TestWhatWasForgottenMayHold(t *testing.T) {
	c := newCensus("a")
	if c.missing("b/b1", at(0)) || c.missing("b/b1", at(1999)) || c.missing("b/b2", at(1500)) {
		t.Error("over before 2 s")
	}
	if !c.missing("b/b1", at(2000)) || c.missing("b/b2", at(3499)) || !c.missing("b/b2", at(3500)) {
		t.Error("each is over after 2 s")
	}
	for n := range absentMax {
		c.missing(fmt.Sprint("n/", n), at(3600))
	}
	if len(c.absent) > absentMax || c.missing("b/b1", at(3601)) {
		t.Errorf("%d are kept; who is forgotten of them is waited for anew", len(c.absent))
	}
}

// A watch that does not tell of the own renewals says nothing.
func TestADeafWatch(t *testing.T) {
	c := newCensus("a")
	for ms, revision := 0, uint64(1); ms <= 3000; ms, revision = ms+500, revision+1 {
		c.renewed(at(ms), at(ms))
		c.saw("a", seat{incarnation: "a1", revision: revision}, at(ms+1))
	}
	if c.deaf(at(3100)) {
		t.Error("a watch that tells of each renewal is called deaf")
	}
	for ms := 3500; ms <= 5000; ms += 500 {
		c.renewed(at(ms), at(ms))
	}
	if c.deaf(at(5000)) || !c.deaf(at(5001)) {
		t.Error("a watch is deaf 2 s after it last told of an own renewal")
	}
	if c.deaf(at(9000)) {
		t.Error("who cannot renew cannot tell")
	}
	c.renewed(at(9100), at(9103))
	if c.deaf(at(9104)) {
		t.Error("the watch has had no time to tell")
	}
}

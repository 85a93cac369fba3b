package cluster

import (
	"slices"
	"testing"
	"time"
)

// at is a moment on one node's clock.
func at(ms int) time.Time {
	return time.Unix(1_800_000_000, 0).Add(time.Duration(ms) * time.Millisecond)
}

// ahead is a census that has heard of b at 0 and renews by itself up to the moment.
func ahead(ms int) *census {
	c := newCensus("a")
	c.saw("b", seat{incarnation: "b1", revision: 7}, at(0))
	for t := 0; t <= ms; t += 500 {
		c.renewed(at(t), at(t+3))
	}
	return c
}

func TestSilenceIsDeath(t *testing.T) {
	c := ahead(2000)
	if got := c.silent(at(1999)); len(got) != 0 {
		t.Errorf("dead at 1999 ms: %v", got)
	}
	if got := c.silent(at(2003)); !slices.Equal(got, []string{"b"}) {
		t.Errorf("dead at 2003 ms: %v, want b", got)
	}
	c.saw("b", seat{incarnation: "b1", revision: 8}, at(2010))
	if got := c.silent(at(2020)); len(got) != 0 {
		t.Errorf("dead after a renewal: %v", got)
	}
	c.saw("b", seat{incarnation: "b1", revision: 8}, at(4000)) // told again
	c.renewed(at(2500), at(2500))
	c.renewed(at(3000), at(3000))
	c.renewed(at(3500), at(3500))
	c.renewed(at(4000), at(4000))
	if got := c.silent(at(4010)); !slices.Equal(got, []string{"b"}) {
		t.Errorf("dead at 4010 ms: %v; a revision that is known is no sign of life", got)
	}
}

// Who cannot renew does not judge, and starts anew when it can.
func TestNobodyDiesWhenTheStoreIsAway(t *testing.T) {
	c := ahead(500)
	if got := c.silent(at(2400)); len(got) != 0 || c.valid(at(2400)) {
		t.Errorf("without a renewal for 1.9 s: dead %v, valid %v", got, c.valid(at(2400)))
	}
	if !c.valid(at(2299)) || c.valid(at(2300)) {
		t.Error("the own lease must hold for 1.8 s after it was asked for, no longer")
	}
	c.renewed(at(5000), at(5004))
	for ms := 5004; ms < 7000; ms += 100 {
		if got := c.silent(at(ms)); len(got) != 0 {
			t.Fatalf("dead at %d ms: %v, want 2 s for b after the pause", ms, got)
		}
		if ms%500 == 4 {
			c.renewed(at(ms), at(ms))
		}
	}
	if got := c.silent(at(7010)); !slices.Equal(got, []string{"b"}) {
		t.Errorf("dead at 7010 ms: %v, want b", got)
	}
}

func TestWhoIsThere(t *testing.T) {
	c := newCensus("a")
	steps := []struct {
		name    string
		step    func() bool
		changes bool
		staying []string
	}{
		{"b comes", func() bool { return c.saw("b", seat{incarnation: "1", revision: 1}, at(0)) }, true, []string{"b"}},
		{"b renews", func() bool { return c.saw("b", seat{incarnation: "1", revision: 2}, at(1)) }, false, []string{"b"}},
		{"an old revision", func() bool { return c.saw("b", seat{incarnation: "0", revision: 1}, at(2)) }, false, []string{"b"}},
		{"c comes", func() bool { return c.saw("c", seat{incarnation: "1", revision: 3}, at(3)) }, true, []string{"b", "c"}},
		{"b was restarted", func() bool { return c.saw("b", seat{incarnation: "2", revision: 4}, at(4)) }, true, []string{"b", "c"}},
		{"b leaves", func() bool { return c.saw("b", seat{incarnation: "2", revision: 5, leaving: true}, at(5)) }, true, []string{"c"}},
		{"an old deletion", func() bool { return c.gone("c", 2) }, false, []string{"c"}},
		{"c is gone", func() bool { return c.gone("c", 6) }, true, nil},
		{"c is still gone", func() bool { return c.gone("c", 6) }, false, nil},
	}
	for _, s := range steps {
		if got := s.step(); got != s.changes || !slices.Equal(c.staying(), s.staying) {
			t.Errorf("%s: changes %v, staying %v; want %v, %v", s.name, got, c.staying(), s.changes, s.staying)
		}
	}
	c.lost()
	if c.valid(at(0)) {
		t.Error("a lost lease is valid")
	}
}

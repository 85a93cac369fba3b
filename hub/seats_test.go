package hub

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// TestSeats: who finds no seat is told so and when to come back, and a seat is free
// again when its connection has ended.
func TestSeats(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		seats      Seats
		user, room string // who comes last, after ann twice to r1
		status     int
		code       string
		also       [2]string // a user and a room that are not concerned; empty: all are
	}{
		"node": {seats: Seats{Node: 2}, user: "bo", room: "r2", status: 503, code: codeFull},
		"room": {seats: Seats{Room: 2}, user: "bo", room: "r1", status: 503, code: codeFull, also: [2]string{"bo", "r2"}},
		"user": {seats: Seats{User: 2}, user: "ann", room: "r2", status: 429, code: codeTooManyConnections, also: [2]string{"bo", "r1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := newStage(t, func(cfg *lobbyConfig) {
				var f faults
				cfg.limits.Seats = tt.seats
				cfg.limits.Seats.fill(&f)
				cfg.limits.Upgrades = Rate{PerSecond: 1e6, Burst: 1e6}
			})
			ask := func(user, room string) (int, string, http.Header) {
				return exchange(t, http.MethodGet, fmt.Sprintf("%s/v1/rooms/%s/ws", st.url, room), "",
					header("Authorization", "Bearer "+st.token(user)))
			}
			first := st.welcomed("ann")
			for range 5 { // whoever only asks takes no seat
				status, text, _ := ask("ann", "r1")
				wantProblem(t, status, text, 426, codeUpgradeRequired)
			}
			st.welcomed("ann")
			status, text, h := ask(tt.user, tt.room)
			wantProblem(t, status, text, tt.status, tt.code)
			if after, err := strconv.Atoi(h.Get("Retry-After")); err != nil || after < 5 || after > 15 {
				t.Errorf("Retry-After %q", h.Get("Retry-After"))
			}
			if tt.also[0] != "" {
				status, text, _ := ask(tt.also[0], tt.also[1])
				wantProblem(t, status, text, 426, codeUpgradeRequired)
			}
			if err := first.Cut(); err != nil {
				t.Error(err)
			}
			for deadline := time.Now().Add(20 * time.Second); ; {
				if status, _, _ := ask(tt.user, tt.room); status == http.StatusUpgradeRequired {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the seat is not free")
				}
			}
			st.welcomed("ann")
		})
	}
}

// TestSeatsBounds: what cannot be meant is refused.
func TestSeatsBounds(t *testing.T) {
	t.Parallel()
	var f faults
	s := Seats{Node: -1, Room: SeatsMax + 1}
	s.fill(&f)
	if len(f) != 2 || s.User != 20 {
		t.Errorf("%v, %+v", f, s)
	}
}

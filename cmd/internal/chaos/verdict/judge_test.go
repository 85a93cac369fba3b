package verdict_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/chaos/verdict"
)

// honest is what a run leaves in which nothing went wrong: two gifts delivered, one
// failed, one refused, two viewers of whom one was away, 20 calls in a second.
func honest() *verdict.Evidence {
	gift := func(user, id, status string) verdict.Gift {
		r := verdict.Result{MsgID: "m-" + id, Status: status}
		return verdict.Gift{Room: "r1", User: user, ID: id, Accepted: []string{"m-" + id, "m-" + id}, Results: []verdict.Result{r, r}}
	}
	e := &verdict.Evidence{
		Gifts: []verdict.Gift{
			gift("ann", "a1", verdict.Delivered), gift("ann", "a2", verdict.Delivered), gift("bo", "b1", verdict.Failed),
			{Room: "r1", User: "bo", ID: "b2", Refused: true},
		},
		Chains: []verdict.Chain{
			{Room: "r1", Viewer: "ann", Heard: []verdict.Heard{
				{Kind: verdict.Welcome, Epoch: "e"},
				{Kind: verdict.Gifts, Seq: 1, MsgIDs: []string{"m-a1"}},
				{Kind: verdict.Welcome, Epoch: "e", Resumed: true, Seq: 1},
				{Kind: verdict.Gifts, Seq: 2, MsgIDs: []string{"m-a2"}},
			}},
			{Room: "r1", Viewer: "bo", Heard: []verdict.Heard{
				{Kind: verdict.Welcome, Epoch: "e"},
				{Kind: verdict.Lagged, Seq: 1, To: 1},
				{Kind: verdict.Gifts, Seq: 2, MsgIDs: []string{"m-a2"}},
			}},
		},
		Effects: []verdict.Effect{{"r1", "m-a1"}, {"r1", "m-a2"}},
		Ledger:  []verdict.Row{{"r1", "m-a1", verdict.Delivered}, {"r1", "m-a2", verdict.Delivered}, {"r1", "m-b1", verdict.Failed}},
	}
	begun := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for i := range 40 { // 20 in every second that is open at its end
		e.Arrivals = append(e.Arrivals, verdict.Arrival{
			At: begun.Add(time.Duration(i) * 50 * time.Millisecond), Room: "r1", Action: "SendDanmakuGifts", Limit: 20,
		})
	}
	return e
}

func TestHonest(t *testing.T) {
	v := verdict.Judge(honest())
	if !v.Holds() || v.Accepted != 3 || v.Delivered != 2 || v.Failed != 1 || v.Refused != 1 || v.Lost != 0 || v.Doubled != 0 || v.Worst != 20 {
		t.Errorf("%+v", v)
	}
}

// Each row forges one thing in an honest run; the judge must find it.
func TestForged(t *testing.T) {
	type evidence = verdict.Evidence
	for _, tt := range []struct {
		name    string
		forge   func(*evidence)
		want    string // in a problem
		lost    int
		doubled int
	}{
		{"no result", func(e *evidence) { e.Gifts[0].Results = nil }, "no result", 1, 0},
		{"delivered without effect", func(e *evidence) { e.Effects = e.Effects[:1] }, "ZEGO never gave m-a2", 1, 0},
		{"never answered", func(e *evidence) { e.Gifts[3].Refused = false }, "never answered", 0, 0},
		{"two effects", func(e *evidence) { e.Effects = append(e.Effects, e.Effects[0]) }, "gave m-a1 twice", 0, 1},
		{"two rows", func(e *evidence) { e.Ledger = append(e.Ledger, e.Ledger[0]) }, "ledger has m-a1 twice", 0, 1},
		{"no row", func(e *evidence) { e.Ledger = e.Ledger[1:] }, "not in the hub's ledger", 0, 0},
		{"another row", func(e *evidence) { e.Ledger[0].Status = verdict.Failed }, "failed in the hub's ledger", 0, 0},
		{"failed with effect", func(e *evidence) { e.Effects = append(e.Effects, verdict.Effect{Room: "r1", MsgID: "m-b1"}) }, "failed, and ZEGO gave", 0, 0},
		{"given, never accepted", func(e *evidence) { e.Effects = append(e.Effects, verdict.Effect{Room: "r1", MsgID: "m-b2"}) }, "which nobody was told", 0, 0},
		{"booked, never accepted", func(e *evidence) { e.Ledger = append(e.Ledger, verdict.Row{Room: "r1", MsgID: "m-b2"}) }, "which nobody was told", 0, 0},
		{"rejected and accepted", func(e *evidence) { e.Gifts[0].Refused = true }, "rejected for good, and accepted", 0, 0},
		{"result without accepted", func(e *evidence) { e.Gifts[0].Accepted = nil }, "never accepted", 0, 0},
		{"another MsgId on repeat", func(e *evidence) { e.Gifts[0].Accepted[1] = "m-x" }, "several MsgIds", 0, 0},
		{"another result on repeat", func(e *evidence) { e.Gifts[0].Results[1].Status = verdict.Failed }, "two results", 0, 0},
		{"another reason on repeat", func(e *evidence) { e.Gifts[0].Results[1].Reason = "expired" }, "two results", 0, 0},
		{"result of another gift", func(e *evidence) {
			for i := range e.Gifts[0].Results {
				e.Gifts[0].Results[i].MsgID = "m-a2"
			}
		}, "two results", 0, 0},
		{"one MsgId for two", func(e *evidence) { e.Gifts[1].Accepted = e.Gifts[0].Accepted }, "has the MsgId m-a1", 0, 1},
		{"status unknown", func(e *evidence) { e.Gifts[2].Results = []verdict.Result{{MsgID: "m-b1", Status: "maybe"}} }, "unknown status", 0, 0},
		{"gap", func(e *evidence) { e.Chains[1].Heard = slices.Delete(e.Chains[1].Heard, 1, 2) }, "gifts 2, after 0", 0, 0},
		{"gap over a reconnect", func(e *evidence) { e.Chains[0].Heard[2].Seq = 2 }, "resumed at 2, after 1", 0, 0},
		{"seq twice", func(e *evidence) { e.Chains[0].Heard[3].Seq = 1 }, "gifts 1, after 1", 0, 0},
		{"started over", func(e *evidence) { e.Chains[0].Heard[2].Resumed = false }, "started over", 0, 0},
		{"epoch changed", func(e *evidence) { e.Chains[0].Heard[2].Epoch = "f" }, "epoch f after e", 0, 0},
		{"lagged too little", func(e *evidence) { e.Chains[1].Heard[1].To = 0 }, "lagged 1 to 0", 0, 0},
		{"shown differently", func(e *evidence) { e.Chains[1].Heard[2].MsgIDs = []string{"m-a1"} }, "not the same", 0, 0},
		{"shown twice", func(e *evidence) { e.Chains[0].Heard[3].MsgIDs = []string{"m-a1"}; e.Chains = e.Chains[:1] }, "was shown at 1 and at 2", 0, 1},
		{"shown, not given", func(e *evidence) { e.Chains[0].Heard[1].MsgIDs = []string{"m-b1"} }, "shown to viewers", 0, 0},
		{"21 calls", func(e *evidence) { e.Arrivals[20].At = e.Arrivals[20].At.Add(-time.Nanosecond) }, "21 calls of SendDanmakuGifts", 0, 0},
		{"another content", func(e *evidence) { e.Conflicts = 1 }, "another content", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := honest()
			tt.forge(e)
			v := verdict.Judge(e)
			found := slices.ContainsFunc(v.Problems, func(p string) bool { return strings.Contains(p, tt.want) })
			if v.Holds() || !found || v.Lost != tt.lost || v.Doubled != tt.doubled {
				t.Errorf("%+v, want %q, %d lost, %d doubled", v, tt.want, tt.lost, tt.doubled)
			}
		})
	}
}

// Rooms and actions have budgets of their own.
func TestBudgetPerRoomAndAction(t *testing.T) {
	e := honest()
	for _, a := range slices.Clone(e.Arrivals) {
		a.Room = "r2"
		e.Arrivals = append(e.Arrivals, a)
		a.Room, a.Action = "r1", "DescribeDanmakuMsgResults"
		e.Arrivals = append(e.Arrivals, a)
	}
	if v := verdict.Judge(e); !v.Holds() || v.Worst != 20 {
		t.Errorf("%+v", v)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	e := honest()
	for i := range 1000 {
		e.Gifts = append(e.Gifts, verdict.Gift{Room: "r1", User: "ann", ID: fmt.Sprint("x", i)})
	}
	if v := verdict.Judge(e); v.Found != 1000 || len(v.Problems) != 50 {
		t.Errorf("found %d, named %d", v.Found, len(v.Problems))
	}
}

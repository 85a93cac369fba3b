package zegotest

import (
	"net/http"
	"time"

	"github.com/giftwire/giftwire/zego"
)

// ruleJSON is a [Rule] as the admin API writes it; ID and Hits only in answers.
type ruleJSON struct {
	ID     int         `json:"id,omitzero"`
	Hits   int         `json:"hits,omitzero"`
	Action zego.Action `json:"action"`
	Room   string      `json:"room"`
	Skip   int         `json:"skip"`
	Times  int         `json:"times"`
	ForMS  int64       `json:"for_ms"`
	Fault  faultJSON   `json:"fault"`
}

type faultJSON struct {
	BeforeMS int64      `json:"before_ms"`
	Lost     bool       `json:"lost"`
	Code     int        `json:"code"`
	WorkMS   int64      `json:"work_ms"`
	Hold     bool       `json:"hold"`
	Result   resultJSON `json:"result"`
	Rows     rowsJSON   `json:"rows"`
	AfterMS  int64      `json:"after_ms"`
	Reply    Reply      `json:"reply"`
	Status   int        `json:"status"`
}

type resultJSON struct {
	Result   int    `json:"result"`
	User     string `json:"user_id"`
	Gift     string `json:"gift_id"`
	Happened bool   `json:"happened"`
}

type rowsJSON struct {
	Reversed     bool `json:"reversed"`
	Omit         int  `json:"omit"`
	Doubled      bool `json:"doubled"`
	Contradicted bool `json:"contradicted"`
	Foreign      bool `json:"foreign"`
}

// forMSMax is the longest for_ms: beyond it a rule is cleared, not timed.
const forMSMax = 30 * 24 * 3600 * 1000

func (j ruleJSON) rule() (Rule, error) {
	f := j.Fault
	rule := Rule{
		Action: j.Action, Room: j.Room, Skip: j.Skip, Times: j.Times, For: millis(j.ForMS),
		Fault: Fault{
			Before: millis(f.BeforeMS), Lost: f.Lost, Code: f.Code,
			Work: millis(f.WorkMS), Hold: f.Hold,
			Result: ResultFault(f.Result), Rows: RowFault(f.Rows),
			After: millis(f.AfterMS), Reply: f.Reply, Status: f.Status,
		},
	}
	return rule, rule.check()
}

// millis is so many milliseconds, within bounds that no Duration overflows.
func millis(n int64) time.Duration {
	return time.Duration(max(-1, min(n, forMSMax))) * time.Millisecond
}

func showRule(r RuleState) ruleJSON {
	f := r.Rule.Fault
	return ruleJSON{
		ID: r.ID, Hits: r.Hits, Action: r.Rule.Action, Room: r.Rule.Room, Skip: r.Rule.Skip, Times: r.Rule.Times,
		ForMS: r.Rule.For.Milliseconds(),
		Fault: faultJSON{
			BeforeMS: f.Before.Milliseconds(), Lost: f.Lost, Code: f.Code,
			WorkMS: f.Work.Milliseconds(), Hold: f.Hold,
			Result: resultJSON(f.Result), Rows: rowsJSON(f.Rows),
			AfterMS: f.After.Milliseconds(), Reply: f.Reply, Status: f.Status,
		},
	}
}

func (s *Server) adminRules(w http.ResponseWriter, _ *http.Request) {
	rules := []ruleJSON{}
	for _, r := range s.Rules() {
		rules = append(rules, showRule(r))
	}
	writeJSON(w, map[string]any{"rules": rules})
}

func (s *Server) adminFail(w http.ResponseWriter, r *http.Request) {
	var body ruleJSON
	if !readJSON(w, r, &body) {
		return
	}
	rule, err := body.rule()
	if err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	writeJSON(w, map[string]int{"id": s.Fail(rule)})
}

package hub

import (
	"net/http"
	"sync"
	"time"

	"github.com/giftwire/giftwire/room"
)

// healthCheck is one line of /readyz.
type healthCheck struct {
	Name string `json:"name"`
	// Status: ok; warn: a person should look, the node serves; fail: the node does not
	// serve.
	Status string `json:"status"`
	Detail string `json:"detail,omitzero"`
}

const (
	checkOK   = "ok"
	checkWarn = "warn"
	checkFail = "fail"
)

// readiness is the body of /readyz.
type readiness struct {
	Status string        `json:"status"` // ready, unready
	Node   string        `json:"node"`
	Checks []healthCheck `json:"checks"`
}

// failing makes a check of an error.
func failing(name string, err error) healthCheck {
	if err != nil {
		return healthCheck{Name: name, Status: checkFail, Detail: err.Error()}
	}
	return healthCheck{Name: name, Status: checkOK}
}

// serveReady answers /readyz: 200 while no check fails, else 503, with every check.
func serveReady(node string, checks func() []healthCheck) handler {
	return func(w http.ResponseWriter, _ *http.Request) error {
		body := readiness{Status: "ready", Node: node, Checks: checks()}
		status := http.StatusOK
		for _, c := range body.Checks {
			if c.Status == checkFail {
				body.Status, status = "unready", http.StatusServiceUnavailable
			}
		}
		return writeJSON(w, status, body)
	}
}

// serveAlive answers /healthz: the process answers requests. Whether it should be
// given any is /readyz' matter.
func serveAlive(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{"alive"})
}

// alarmLog remembers the newest alarm of each class for a while: signature and
// configuration faults at ZEGO are a readiness detail.
type alarmLog struct {
	mu   sync.Mutex
	last map[room.Class]alarmSeen // at most as many as there are classes
}

type alarmSeen struct {
	at    time.Time
	alarm room.Alarm
	room  string
}

// alarmFor is how long an alarm stays in the readiness detail: pauses are at most 10 s
// apart by default, so a fault that lasts is seen again well within it.
const alarmFor = time.Minute

func (l *alarmLog) raise(roomID string, a room.Alarm, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		l.last = make(map[room.Class]alarmSeen)
	}
	l.last[a.Class] = alarmSeen{at, a, roomID}
}

// check is the readiness detail.
func (l *alarmLog) check(at time.Time) healthCheck {
	l.mu.Lock()
	defer l.mu.Unlock()
	newest := alarmSeen{}
	for _, seen := range l.last {
		if at.Sub(seen.at) < alarmFor && seen.at.After(newest.at) {
			newest = seen
		}
	}
	if newest.room == "" {
		return healthCheck{Name: "zego", Status: checkOK}
	}
	return healthCheck{
		Name: "zego", Status: checkWarn,
		Detail: "room " + newest.room + ": " + newest.alarm.Class.String() + ": " + newest.alarm.Message,
	}
}

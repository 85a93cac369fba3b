package load

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the reports of testdata anew")

// sample is a report with something of everything.
func sample(holds bool) *Report {
	s := newSums()
	s.start = time.Second
	for n := range 12 {
		var h histograms
		for i := range 100 {
			h.record(Accept, time.Duration(2+i/10+n)*time.Millisecond)
			h.record(Result, time.Duration(80+i)*time.Millisecond)
			h.record(Seen, time.Duration(85+i)*time.Millisecond)
			h.record(FanOut, time.Duration(300+10*i)*time.Microsecond)
			h.record(Late, time.Duration(100+i)*time.Microsecond)
		}
		data, err := h.pack()
		if err != nil {
			panic(err)
		}
		err = s.second(&second{
			Worker: 0, At: time.Duration(n+2) * time.Second, Packed: data, CPU: time.Duration(n) * 400 * time.Millisecond, Memory: 64 << 20,
			Counts:   counts{Due: 100, Sent: 100, Accepted: 99, Rejected: 1, Delivered: 98, Failed: 1, Frames: 1500, Bytes: 2 << 20, Deliveries: 2000, Dials: 10, Welcomes: 10},
			Reasons:  map[string]int64{"rejected: busy": 1, "result: ok": 98, "result: not_joined_or_refused": 1, "lost: close frame 1012": 2},
			Standing: Standing{Connected: 500 - n, Viewers: 500},
		})
		if err != nil {
			panic(err)
		}
	}
	if !holds {
		for n := range 25 {
			s.found.add(Mismatch{KindSilentGap, "r1", "ann", "", "heard 7 after " + string(rune('0'+n%6))})
		}
		s.found.add(Mismatch{KindNoResult, "r1", "bob", "run-0-7", "msg_id <b>never</b> decided"})
		s.found.sort()
	}
	r := &Run{id: "abc123", sums: s, notes: []string{"interrupted: the load ended early"}, Config: Config{
		Target: Target{URLs: []string{"http://127.0.0.1:8080"}}, Crowd: Crowd{Viewers: 500, Gifters: 21, Rooms: 5},
		Gifts: Gifts{Rate: 100, Count: 10}, Trouble: Trouble{Churn: 2, Slow: 0.01, Storms: []time.Duration{4 * time.Second}},
		Times: Times{Load: 10 * time.Second}, Processes: 1, Seed: 42,
	}}
	out := r.report(time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC), 10*time.Second, 1500*time.Millisecond)
	out.Generator.Cores, out.Generator.MachineBusy = 2, 0.97
	out.Hub = usage{cpu: map[string]float64{"a": 10, "b": 1}}.until(
		usage{cpu: map[string]float64{"a": 13, "b": 2}, memory: 100 << 20}, 11.5, out.Totals.Deliveries)
	out.conclude()
	return out
}

// What a node used is not known where it was started anew in between.
func TestHubCost(t *testing.T) {
	t.Parallel()
	before := usage{cpu: map[string]float64{"a": 10, "b": 5}}
	for name, tt := range map[string]struct {
		after map[string]float64
		want  *HubCost
	}{
		"both":     {map[string]float64{"a": 12, "b": 7}, &HubCost{Nodes: 2, CPU: 4, CoresUsed: 0.4, PerCPU: 250}},
		"one away": {map[string]float64{"a": 12}, nil},
		"one anew": {map[string]float64{"a": 12, "b": 1}, nil},
	} {
		if diff := cmp.Diff(tt.want, before.until(usage{cpu: tt.after}, 10, 1000)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := (usage{}).until(usage{}, 10, 1000); got != nil {
		t.Errorf("%+v of no node", got)
	}
}

func TestReportText(t *testing.T) {
	t.Parallel()
	for name, holds := range map[string]bool{"testdata/holds.txt": true, "testdata/mismatches.txt": false} {
		var got bytes.Buffer
		if err := sample(holds).WriteText(&got); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(name, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got); -update writes it:\n%s", name, diff)
		}
	}
}

// The page stands alone: it asks for nothing, and what others wrote does not become
// markup.
func TestReportPage(t *testing.T) {
	t.Parallel()
	for _, holds := range []bool{true, false} {
		var out bytes.Buffer
		if err := sample(holds).WriteHTML(&out); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		for _, want := range []string{"default-src 'none'", "prefers-color-scheme: dark", `name="viewport"`, "fan-out", "p99.9", "storm"} {
			if !strings.Contains(text, want) {
				t.Errorf("holds: %v: the page has no %q", holds, want)
			}
		}
		if got := regexp.MustCompile(`(?i)(src|href)=["']?([^"' >]+)|@import|url\(`).FindAllString(text, -1); len(got) != 1 || got[0] != `href="data:,` {
			t.Errorf("the page asks for something: %q", got)
		}
		if strings.Contains(text, "<b>never") || strings.Contains(text, "ZgotmplZ") {
			t.Error("a detail became markup, or something was left out as unsafe")
		}
		if strings.Contains(text, "It does not hold") == holds {
			t.Errorf("holds: %v, and the page says otherwise", holds)
		}
		if paths := regexp.MustCompile(`<path class="[^"]+" d="(M[^"]+)"`).FindAllString(text, -1); len(paths) != 20 {
			t.Errorf("%d lines are drawn, want 20", len(paths))
		}
		if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Error("a figure is no number")
		}
	}
}

// An empty report has a page, too: a run of no gifts.
func TestReportPageOfNothing(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := (&Run{sums: newSums()}).report(time.Now(), 0, 0)
	r.conclude()
	if err := r.WriteHTML(&out); err != nil || strings.Contains(out.String(), "NaN") {
		t.Errorf("%v: %d bytes", err, out.Len())
	}
}

func TestReportJSON(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(sample(false))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Holds      bool `json:"holds"`
		Mismatches struct {
			Counts map[string]int `json:"counts"`
			List   []struct {
				Kind string `json:"kind"`
			} `json:"list"`
		} `json:"mismatches"`
		Totals struct {
			Accepted int `json:"accepted"`
		} `json:"totals"`
		Latencies []struct {
			Name string  `json:"name"`
			P99  float64 `json:"p99_ms"`
		} `json:"latencies"`
		Series []struct {
			At int `json:"at_s"`
		} `json:"series"`
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.Holds || got.Mismatches.Counts["silent_gap"] != 25 || len(got.Mismatches.List) != 21 || got.Totals.Accepted != 1188 ||
		got.Latencies[0].Name != "accept" || len(got.Series) != 12 {
		t.Errorf("%+v", got)
	}
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	good := Config{
		Target: Target{URLs: []string{"http://h:1"}, APIKey: "k"}, Crowd: Crowd{Viewers: 100, Gifters: 10, Rooms: 2, ConnectRate: 1},
		Gifts: Gifts{Rate: 10, GiftID: "g1", Count: 10}, Times: Times{Load: time.Second}, Processes: 1,
	}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for flag, spoil := range map[string]func(*Config){
		"url":          func(c *Config) { c.Target.URLs = []string{"ftp://h"} },
		"api-key":      func(c *Config) { c.Target.APIKey = "" },
		"viewers":      func(c *Config) { c.Crowd.Viewers = ViewersMax + 1 },
		"gifters":      func(c *Config) { c.Crowd.Gifters = 101 },
		"rooms":        func(c *Config) { c.Crowd.Rooms = 101 },
		"connect-rate": func(c *Config) { c.Crowd.ConnectRate = 0 },
		"rate":         func(c *Config) { c.Gifts.Rate = GiftsMax + 1 },
		"count":        func(c *Config) { c.Gifts.Count = 0 },
		"churn":        func(c *Config) { c.Trouble.Churn = -1 },
		"slow":         func(c *Config) { c.Trouble.Slow = 0.91 },
		"storm":        func(c *Config) { c.Trouble.Storms = []time.Duration{time.Second} },
		"processes":    func(c *Config) { c.Processes = 0 },
	} {
		bad := good
		spoil(&bad)
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), "--"+flag+": ") {
			t.Errorf("%s: %v", flag, err)
		}
	}
	bad := Config{}
	if err := bad.Check(); strings.Count(err.Error(), "\n") < 6 {
		t.Errorf("not all faults at once: %v", err)
	}
	many := good
	many.Crowd.Viewers, many.Crowd.Sources = PortsMax+1, addresses(t, "127.0.0.1")
	if err := many.Check(); err == nil || !strings.Contains(err.Error(), "--source: ") {
		t.Errorf("more connections than ports: %v", err)
	}
	if got := (&Config{Crowd: Crowd{Gifters: 1, Rooms: 1}, Gifts: Gifts{Rate: 1000}}).Warnings(); len(got) != 2 {
		t.Errorf("warnings %q, want of ZEGO's budget and of the user's limit", got)
	}
}

func addresses(t *testing.T, texts ...string) (out []netip.Addr) {
	t.Helper()
	for _, text := range texts {
		out = append(out, netip.MustParseAddr(text))
	}
	return out
}

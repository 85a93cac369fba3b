package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/cmd/internal/load"
	"github.com/giftwire/giftwire/cmd/internal/load/loadtest"
)

// A node under load, churn, slow readers and a storm keeps its word, and two processes
// of the generator say so.
func TestLoadAgainstDev(t *testing.T) {
	t.Parallel()
	dev := startDev(t, t.TempDir())
	files := t.TempDir()
	asJSON, asPage := filepath.Join(files, "load.json"), filepath.Join(files, "load.html")
	p := start(t, "load", "--url", "http://"+dev.address(t, "listen"), "--viewers", "60", "--rooms", "2", "--rate", "60", "--duration", "2s",
		"--churn", "5", "--away", "100ms", "--slow", "0.05", "--storm", "1s", "--processes", "2", "--seed", "1", "--json", asJSON, "--html", asPage)
	if status := p.wait(t); status != exitOK {
		t.Fatalf("exit %d:\n%s%s", status, p.logged(), &p.out)
	}
	if !strings.Contains(p.out.String(), "It holds: ") || !strings.Contains(p.logged(), "load ") {
		t.Errorf("the report or the progress is missing:\n%s%s", p.logged(), &p.out)
	}
	data, err := os.ReadFile(asJSON)
	if err != nil {
		t.Fatal(err)
	}
	var got load.Report
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	c := got.Totals
	if !got.Holds || c.Due < 60 || c.Sent != c.Due || c.Delivered+c.Rejected != c.Sent || c.Accepted != c.Delivered || c.Delivered == 0 || c.Dropped == 0 || c.Resumed < c.Dropped ||
		got.Settings.Slow != 3 || got.Generator.Processes != 2 {
		t.Errorf("%+v", got)
	}
	if page, err := os.ReadFile(asPage); err != nil || !bytes.Contains(page, []byte("It holds")) {
		t.Errorf("the page: %v, %d bytes", err, len(page))
	}
	// Nothing of the run is left but its ledger.
	status, body := get(t.Context(), "http://"+dev.address(t, "listen")+"/v1/rooms", devAPIKey)
	if status != 200 || bytes.Contains(body, []byte(got.Run)) {
		t.Errorf("rooms are left: %d %s", status, body)
	}
}

// The exit status says whether the hub kept its word, broke it, or could not be asked.
func TestLoadExits(t *testing.T) {
	t.Parallel()
	args := []string{"load", "--viewers", "16", "--rooms", "2", "--gifters", "10", "--rate", "150", "--duration", "1s", "--arrivals", "even"}
	for fault, want := range map[loadtest.Fault]struct {
		status int
		text   string
	}{
		loadtest.None:          {exitOK, "It holds: 150 gifts"},
		loadtest.RepeatsResult: {exitFailed, "repeated_result room=load-"},
		loadtest.SkipsSeq:      {exitFailed, "silent_gap room=load-"},
		loadtest.LosesAccepted: {exitFailed, "not_accepted room=load-"},
		loadtest.RefusesLedger: {exitSettings, "could not be run"},
	} {
		hub := loadtest.New(t, fault)
		p := start(t, append(args, "--url", hub.URL)...)
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			if status := p.wait(t); status != want.status || !strings.Contains(p.out.String()+p.logged(), want.text) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", status, want.status, want.text, p.logged(), &p.out)
			}
		})
	}
}

// Wrong flags are named all at once, before anything is made.
func TestLoadSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"--viewers", "x", "--rate", "-1", "--storm", "soon", "--arrivals", "sometimes", "--source", "here"}, []string{
			"--viewers", "--rate", "--storm", "--arrivals", "--source",
		}},
		{[]string{"--viewers", "10", "--gifters", "11", "--storm", "1h", "--api-key", "", "--slow", "0.95"}, []string{
			"--gifters", "--storm", "--api-key", "--slow",
		}},
		{[]string{"--html", "/nowhere/report.html"}, []string{"--html"}},
		{[]string{"--source", "127.0.0.9-127.0.0.1"}, []string{"--source"}},
	} {
		status, out, errs := cmdline(t, append([]string{"load"}, tt.args...)...)
		if status != exitSettings || out != "" {
			t.Errorf("%q: exit %d, printed %q", tt.args, status, out)
		}
		for _, flag := range tt.want {
			if !strings.Contains(errs, "giftwire: "+flag) {
				t.Errorf("%q: %s is not named:\n%s", tt.args, flag, errs)
			}
		}
	}
}

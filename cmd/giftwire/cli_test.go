package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/auth"
)

// cmdline runs the command in this process; it must end by itself.
func cmdline(t *testing.T, args ...string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = run(t.Context(), args, streams{out: &stdout, err: &stderr})
	return status, stdout.String(), stderr.String()
}

// good are settings of serve that are all right.
func good(t *testing.T, dir string) []string {
	t.Helper()
	return []string{
		"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data", dir,
		"--zego-url", "http://127.0.0.1:1", "--zego-app-id", "1", "--zego-server-secret", testServer,
		"--jwt-secret", testJWTSecret, "--api-key", testAPIKey,
	}
}

// Everything that is wrong is named at once, by its flag, and nothing is started.
func TestSettingsFaultsAreNamedAtOnce(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	status, _, errs := cmdline(
		t, "serve", "--listen", "nowhere", "--admin-listen", ":x", "--flush-interval", "5s", "--gift-ttl", "soon",
		"--zego-timeout", "1ms", "--zego-app-id", "0", "--zego-url", "ftp://zego", "--games", missing,
		"--replicas", "2", "--gifts-bytes", "many", "--limit-gifts", "20", "--limit-backlog", "-1", "--log-level", "loud",
		"--log-format", "xml", "--allow-origin", "live.example.com", "--trusted-proxy", "proxy",
		"--jwt-secret", "x", "--jwt-secret-file", missing, "--api-key-file", missing, "--default-avatar", "me.png", "--node", "a b",
	)
	if status != exitSettings {
		t.Errorf("exit %d, want %d", status, exitSettings)
	}
	for _, flag := range []string{
		"listen", "admin-listen", "flush-interval", "gift-ttl", "zego-timeout", "zego-app-id", "zego-url", "games", "replicas",
		"gifts-bytes", "limit-gifts", "limit-backlog", "log-level", "log-format", "allow-origin", "trusted-proxy", "jwt-secret",
		"api-key-file", "default-avatar", "node", "zego-server-secret",
	} {
		if !strings.Contains(errs, "giftwire: --"+flag+":") && !strings.Contains(errs, "giftwire: --"+flag+" ") {
			t.Errorf("--%s is not named in:\n%s", flag, errs)
		}
	}
	if n := strings.Count(errs, "\n"); n > 25 {
		t.Errorf("%d lines of faults, want one a fault:\n%s", n, errs)
	}
}

func TestMissingSettingsAreNamedAtOnce(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"serve"}, []string{"zego-url", "zego-app-id", "zego-server-secret", "jwt-secret", "api-key"}},
		{[]string{"token"}, []string{"jwt-secret", "user-id"}},
		{[]string{"zegosim"}, []string{"zego-app-id", "zego-server-secret"}},
	} {
		status, _, errs := cmdline(t, tt.args...)
		var got []string
		for line := range strings.Lines(errs) {
			flag, ok := strings.CutSuffix(strings.TrimPrefix(line, "giftwire: --"), ": is required\n")
			if !ok {
				t.Errorf("%v: unexpected line %q", tt.args, line)
			}
			got = append(got, flag)
		}
		slices.Sort(got)
		slices.Sort(tt.want)
		if diff := cmp.Diff(tt.want, got); diff != "" || status != exitSettings {
			t.Errorf("%v: exit %d, faults (-want +got):\n%s", tt.args, status, diff)
		}
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--nope"}, "--nope"},
		{[]string{"sing"}, "sing"},
		{nil, "expected one of"},
		{[]string{"dev", "--listen", "0.0.0.0:8080"}, "--listen: \"0.0.0.0\" is not a loopback address"},
		{[]string{"dev", "--listen", "example.com:8080"}, "--listen"},
		{[]string{"token", "--jwt-secret", "s", "--user-id", "a-b"}, "--user-id"},
		{[]string{"token", "--jwt-secret", "s", "--user-id", "ann", "--room", "a/b", "--ttl", "0s"}, "--ttl"},
		{[]string{"zegosim", "--zego-app-id", "1", "--zego-server-secret", "s", "--callback-url", "http://h/c"}, "callback-secret"},
	} {
		status, _, errs := cmdline(t, tt.args...)
		if status != exitSettings || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit %d, %q; want %d and %q", tt.args, status, errs, exitSettings, tt.want)
		}
	}
}

// Flag beats environment beats file.
func TestPrecedenceOfSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "giftwire.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	subject := func(args ...string) string {
		t.Helper()
		status, out, errs := cmdline(t, append([]string{"token", "--config", file, "--jwt-secret", testJWTSecret}, args...)...)
		if status != exitOK {
			t.Fatalf("exit %d: %s", status, errs)
		}
		tokens, err := auth.NewHS256(auth.HS256Config{Secret: []byte(testJWTSecret)})
		if err != nil {
			t.Fatal(err)
		}
		id, err := tokens.Authenticate(t.Context(), strings.TrimSpace(out))
		if err != nil {
			t.Fatal(err)
		}
		return id.User.ID
	}
	write("user-id: file\nlimit-gifts: 5/10\nallow-origin: [\"https://a.example\"]\n")
	if got := subject(); got != "file" {
		t.Errorf("user %s, want the file's", got)
	}
	t.Setenv("GIFTWIRE_USER_ID", "env")
	if got := subject(); got != "env" {
		t.Errorf("user %s, want the environment's", got)
	}
	if got := subject("--user-id", "flag"); got != "flag" {
		t.Errorf("user %s, want the flag's", got)
	}
	write("user-id: file\nusr-id: x\nzzz: 1\n")
	status, _, errs := cmdline(t, "token", "--config", file)
	if status != exitSettings || !strings.Contains(errs, `"usr-id"`) || !strings.Contains(errs, `"zzz"`) {
		t.Errorf("unknown keys: exit %d, %q", status, errs)
	}
	write("user-id: [")
	if status, _, errs := cmdline(t, "token", "--config", file); status != exitSettings || !strings.Contains(errs, "--config") {
		t.Errorf("broken file: exit %d, %q", status, errs)
	}
	if status, _, _ := cmdline(t, "token", "--config", file+".none"); status != exitSettings {
		t.Errorf("missing file: exit %d", status)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(testJWTSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, fromFile, errs := cmdline(t, "token", "--jwt-secret-file", file, "--user-id", "ann")
	if status != exitOK {
		t.Fatalf("exit %d: %s", status, errs)
	}
	tokens, err := auth.NewHS256(auth.HS256Config{Secret: []byte(testJWTSecret)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Authenticate(t.Context(), strings.TrimSpace(fromFile)); err != nil {
		t.Errorf("a token signed with the file's secret: %v", err)
	}
	status, _, errs = cmdline(t, "token", "--jwt-secret", "very-secret-text", "--jwt-secret-file", file, "--user-id", "ann")
	if status != exitSettings || !strings.Contains(errs, "twice") || strings.Contains(errs, "very-secret-text") {
		t.Errorf("given twice: exit %d, %q", status, errs)
	}
}

// A secret and its file from two places are ranked as any other setting is.
func TestSecretsAreRanked(t *testing.T) {
	dir := t.TempDir()
	file, config := filepath.Join(dir, "secret"), filepath.Join(dir, "giftwire.yaml")
	for name, text := range map[string]string{file: testJWTSecret, config: "jwt-secret: of-the-config-file"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	signed := func(secret string, args ...string) {
		t.Helper()
		status, token, errs := cmdline(t, append([]string{"token", "--user-id", "ann"}, args...)...)
		signer, err := auth.NewHS256(auth.HS256Config{Secret: []byte(secret)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signer.Authenticate(t.Context(), strings.TrimSpace(token)); err != nil || status != exitOK {
			t.Errorf("%v: exit %d %s%v", args, status, errs, err)
		}
	}
	signed(testJWTSecret, "--config", config, "--jwt-secret-file", file)
	t.Setenv("GIFTWIRE_JWT_SECRET", "of-the-environment")
	signed("of-the-environment", "--config", config)
	signed(testJWTSecret, "--jwt-secret-file", file)
	t.Setenv("GIFTWIRE_JWT_SECRET_FILE", file)
	signed("of-the-command-line", "--jwt-secret", "of-the-command-line")
}

// What is wrong in the file of settings is named with what is wrong elsewhere.
func TestConfigFaultsAreNamedWithTheOthers(t *testing.T) {
	config := filepath.Join(t.TempDir(), "giftwire.yaml")
	if err := os.WriteFile(config, []byte("foo: bar\njwt_secret: x\nflush-interval: 10ms\nnats-url: ftp://x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, errs := cmdline(t, "serve", "--config", config)
	if status != exitSettings {
		t.Errorf("exit %d", status)
	}
	for _, want := range []string{`"foo"`, `"jwt_secret"`, "--flush-interval: 10ms", "--api-key", `--nats-url: "ftp"`} {
		if !strings.Contains(errs, want) {
			t.Errorf("%s is not named in:\n%s", want, errs)
		}
	}
	for line := range strings.Lines(errs) {
		if !strings.HasPrefix(line, "giftwire: --") {
			t.Errorf("line %q, want giftwire: --FLAG: ...", line)
		}
	}
}

// A node that cannot start says why in one line and leaves nothing behind.
func TestServeThatCannotStart(t *testing.T) {
	dir := t.TempDir()
	first := start(t, good(t, dir)...)
	address := first.address(t, "listen")
	ready(t, first.address(t, "admin-listen"))

	second := start(t, good(t, dir)...)
	if status := second.wait(t); status != exitFailed || !strings.Contains(second.logged(), "data folder is in use") {
		t.Errorf("the same data folder: exit %d\n%s", status, second.logged())
	}
	args := good(t, t.TempDir())
	args[slices.Index(args, "127.0.0.1:0")] = address
	third := start(t, args...)
	if status := third.wait(t); status != exitFailed || !strings.Contains(third.logged(), "--listen "+address) {
		t.Errorf("the same address: exit %d\n%s", status, third.logged())
	}
	if status, _ := first.terminate(t); status != exitOK {
		t.Errorf("SIGTERM: exit %d", status)
	}
	for _, secret := range []string{testJWTSecret, testServer, testAPIKey} {
		if strings.Contains(first.logged()+second.logged()+third.logged(), secret) {
			t.Errorf("a secret is in the log")
		}
	}
}

// Short keys are taken, since others may have given them, and complained about.
func TestShortKeysAreTold(t *testing.T) {
	t.Parallel()
	args := good(t, t.TempDir())
	args[slices.Index(args, testJWTSecret)], args[slices.Index(args, testAPIKey)] = "guess", "me"
	p := start(t, args...)
	ready(t, p.address(t, "admin-listen"))
	if status, _ := get(t.Context(), "http://"+p.address(t, "listen")+"/v1/rooms", "me"); status != 200 {
		t.Errorf("the short key: %d", status)
	}
	if status, _ := p.terminate(t); status != exitOK {
		t.Errorf("SIGTERM: exit %d", status)
	}
	for _, flag := range []string{"--jwt-secret is short", "--api-key is short"} {
		if !strings.Contains(p.logged(), flag) {
			t.Errorf("the log does not say that %s:\n%s", flag, p.logged())
		}
	}
}

// The admin paths are on their own address only.
func TestAdminPathsAreNotPublic(t *testing.T) {
	t.Parallel()
	n := newWorld(t).serve(t)
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/", "/debug/pprof/heap"} {
		if status, _ := get(t.Context(), "http://"+n.public+path, testAPIKey); status != 404 {
			t.Errorf("%s on the public address: %d, want 404", path, status)
		}
		if status, _ := get(t.Context(), "http://"+n.admin+path, ""); status != 200 {
			t.Errorf("%s on the admin address: %d, want 200", path, status)
		}
	}
	for _, path := range []string{"/v1/openapi.json", "/v1/rooms"} {
		if status, _ := get(t.Context(), "http://"+n.admin+path, testAPIKey); status != 404 {
			t.Errorf("%s on the admin address: %d, want 404", path, status)
		}
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	status, out, _ := cmdline(t, "--help")
	if status != exitOK {
		t.Errorf("exit %d", status)
	}
	for _, name := range []string{"dev", "serve", "zegosim", "token"} {
		if !strings.Contains(out, "\n  "+name) {
			t.Errorf("%s is not in the help:\n%s", name, out)
		}
	}
}

// run must not depend on a process: a context that has ended is a clean end.
func TestServeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if status := run(ctx, good(t, t.TempDir()), streams{out: &out, err: &errs}); status != exitOK && status != exitFailed {
		t.Errorf("exit %d: %s", status, errs.String())
	}
}

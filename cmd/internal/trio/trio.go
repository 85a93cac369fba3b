//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/natscluster"
	"github.com/giftwire/giftwire/hub/auth"
)

const (
	nodes = 3
	appID = "1234567890"
	// readyWithin is how long the first readiness of all may take: streams with three
	// replicas are made.
	readyWithin = time.Minute
)

// trio is all that is started.
type trio struct {
	options
	servers []natscluster.Server
	fronts  []*front
	doors   []net.Listener // of the fronts
	apiKey  string
	binary  string

	nats, sim, node []*process
	failed          context.CancelCauseFunc

	mu  sync.Mutex // guards out
	out io.Writer
}

// prepare builds what will run, and binds the fronts' ports first, because one in use is
// the commonest mistake.
func prepare(ctx context.Context, o options) (*trio, error) {
	t := &trio{options: o, binary: filepath.Join(o.dir, "bin", "giftwire")}
	for i := range nodes {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.port+i)))
		if err != nil {
			return nil, fmt.Errorf("%w; -port takes others", err)
		}
		t.doors = append(t.doors, l)
	}
	if err := os.MkdirAll(filepath.Dir(t.binary), 0o700); err != nil {
		return nil, err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	natsd := filepath.Join(o.dir, "bin", "natsd")
	if err := errors.Join(
		natscluster.Build(ctx, root, "cmd/giftwire", t.binary), natscluster.Build(ctx, root, "cmd/internal/natsd", natsd),
	); err != nil {
		return nil, err
	}
	if t.servers, err = absolute(natscluster.Local(o.dir, nodes, o.nats)); err != nil {
		return nil, err
	}
	files, err := natscluster.Write(o.dir, t.servers)
	for i, file := range files {
		t.nats = append(t.nats, t.process(t.servers[i].Name, natsd, "-c", file))
	}
	if err != nil {
		return nil, err
	}
	return t, t.plan(ctx, filepath.Join(root, "cmd", "giftwire", "dev_games.yaml"))
}

// absolute makes the folders' names good for a process that may be started elsewhere.
func absolute(servers []natscluster.Server) ([]natscluster.Server, error) {
	for i := range servers {
		name, err := filepath.Abs(servers[i].Store)
		if err != nil {
			return nil, err
		}
		servers[i].Store = name
	}
	return servers, nil
}

func (t *trio) process(name string, line ...string) *process {
	return &process{name: name, line: line, log: logFile(t.dir, name), told: t.tell}
}

// plan lays out ZEGO, the nodes and their fronts.
func (t *trio) plan(ctx context.Context, games string) error {
	k := keys{t.dir}
	jwtFile, jwt, err1 := k.read("jwt.key")
	serverFile, _, err2 := k.read("zego-server.key")
	callbackFile, _, err3 := k.read("zego-callback.key")
	apiFile, api, err4 := k.read("api.key")
	ports, err5 := freePorts(ctx, 1+2*nodes)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return err
	}
	tokens, err := auth.NewHS256(auth.HS256Config{Secret: []byte(jwt)})
	if err != nil {
		return err
	}
	t.apiKey = api
	zego := []string{"--zego-app-id", appID, "--zego-server-secret-file", serverFile, "--zego-callback-secret-file", callbackFile, "--games", games}
	sim := ports[0]
	t.sim = []*process{t.process("zego", slices.Concat([]string{
		t.binary, "zegosim", "--listen", sim,
		"--callback-url", "http://" + t.doors[0].Addr().String() + "/v1/zego/callback", "--memory", filepath.Join(t.dir, "zego.jsonl"),
	}, zego)...)}
	for i := range nodes {
		name, listen, admin := "n"+strconv.Itoa(i+1), ports[1+2*i], ports[2+2*i]
		t.node = append(t.node, t.process(name, slices.Concat([]string{
			t.binary, "serve", "--node", name, "--listen", listen, "--admin-listen", admin,
			"--nats-url", natscluster.URL(t.servers), "--zego-url", "http://" + sim, "--jwt-secret-file", jwtFile, "--api-key-file", apiFile,
		}, zego)...))
		t.fronts = append(t.fronts, &front{node: listen, admin: admin, sim: sim, callback: t.alive, tokens: tokens, apiKey: api})
	}
	return nil
}

// alive is a node that answers: ZEGO knows one address, behind which any may be.
func (t *trio) alive() string {
	for _, f := range t.fronts {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", f.node)
		if err == nil {
			_ = c.Close() // nothing was written
			return f.node
		}
	}
	return t.fronts[0].node
}

// freePorts finds addresses that nobody listens on; held together, so that no two are
// the same.
func freePorts(ctx context.Context, n int) ([]string, error) {
	var out []string
	for range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }() // nothing was ever accepted
		out = append(out, l.Addr().String())
	}
	return out, nil
}

// run starts everything in the order in which it is needed, and ends it the other way
// round.
func (t *trio) run(ctx context.Context, out io.Writer) (err error) {
	t.out = out
	ctx, t.failed = context.WithCancelCause(ctx)
	defer t.failed(nil)
	serving, closeAll := context.WithCancel(context.WithoutCancel(ctx))
	var fronts sync.WaitGroup
	for i, l := range t.doors {
		fronts.Go(func() {
			if err := serve(serving, l, t.fronts[i].handler()); err != nil {
				t.failed(err)
			}
		})
	}
	defer fronts.Wait()
	defer closeAll()
	for _, some := range [][]*process{t.nats, t.sim, t.node} {
		g := begin(ctx, t.failed, some...)
		defer func() { err = errors.Join(err, g.end()) }()
	}
	if err := t.ready(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			return cause
		}
		return err
	}
	t.welcome()
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	t.tell("draining the nodes, then all else ends")
	return nil
}

// ready waits for all nodes, and configures the demo room.
func (t *trio) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := 0; i < nodes; {
		status, err := t.ask(ctx, http.MethodGet, "http://"+t.fronts[i].admin+"/readyz", "")
		if err == nil && status == http.StatusOK {
			i++
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; its log is %s", t.node[i].name, context.Cause(ctx), t.node[i].log)
		}
	}
	status, err := t.ask(ctx, http.MethodPut, "http://"+t.fronts[0].node+"/v1/rooms/"+demoRoom, `{"mini_game_id":"TinyLoveWar","anchor_id":"anchor1"}`)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("room %s: status %d", demoRoom, status)
	}
	return err
}

func (t *trio) ask(ctx context.Context, method, url, body string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+t.apiKey)
	r.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(r)
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close() // only the status counts
	return resp.StatusCode, nil
}

func (t *trio) tell(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprintf(t.out, format+"\n", args...) // nowhere else to tell
}

// welcome says where to look.
func (t *trio) welcome() {
	var b strings.Builder
	b.WriteString("giftwire is running on three nodes, with three NATS servers and a simulated ZEGO.\n\n")
	for i, p := range t.node {
		fmt.Fprintf(&b, "  node %s   http://%s/   process %d\n", p.name, t.doors[i].Addr(), p.pid())
	}
	for i, p := range t.nats {
		fmt.Fprintf(&b, "  %s     nats://%s         process %d\n", p.name, t.servers[i].Client, p.pid())
	}
	fmt.Fprintf(&b, `
  All pages show the room %[1]s, wherever it is owned: open two of them, and give gifts.
  Then end a process with kill -9: a node's rooms go on elsewhere after about 2 seconds,
  and what was killed comes back in %[2]v.

  owner of the room  curl http://%[3]s/v1/dev/rooms/%[1]s
  readiness, metrics http://%[3]s/readyz   http://%[3]s/metrics
  audit              %[4]s audit --nats-url %[5]s
  logs, data         %[6]s

Ctrl-C drains and stops.
`, demoRoom, comesBack, t.doors[0].Addr(), t.binary, natscluster.URL(t.servers), t.dir)
	t.tell("%s", b.String())
}

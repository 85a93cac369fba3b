package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/giftwire/giftwire/hub"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// What `giftwire dev` invents. Nobody but the own machine reaches it.
const (
	devRoom   = "demo"
	devGame   = "TinyLoveWar"
	devAnchor = "anchor1"
	devAppID  = 1234567890
)

// devCmd is everything in one process, on loopback.
type devCmd struct {
	Listen string    `help:"Loopback address of page, viewers and platform API." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	Data   string    `help:"Folder of the embedded NATS, the simulator's memory and the keys." default:".giftwire-dev" placeholder:"DIR"`
	Node   string    `help:"This node's name." default:"dev" placeholder:"NAME"`
	APIKey string    `name:"api-key" help:"Key of the platform API." default:"giftwire-dev-api-key" placeholder:"TEXT"`
	Games  string    `help:"Catalogue file (YAML) instead of the built-in one." placeholder:"FILE"`
	Times  timeFlags `embed:"" group:"Times"`
	Log    devLog    `embed:"" group:"Log"`
}

// devLog is for people: text, and only what is wrong.
type devLog struct {
	Level  string `name:"log-level" help:"debug, info, warn or error." default:"warn" placeholder:"LEVEL"`
	Format string `name:"log-format" help:"json or text." default:"text" placeholder:"FORMAT"`
}

func (c *devCmd) run(ctx context.Context, s streams) error {
	set := settings{faults: s.faults}
	flags := logFlags(c.Log)
	log := flags.logger(&set, s.err)
	n := &node{log: log, bindings: []binding{{flag: "listen", address: set.loopback("listen", c.Listen)}}}
	specs, limits := c.specs(&set), c.Times.limits(&set)
	if err := set.err(); err != nil {
		return err
	}
	catalogue, err := room.NewCatalogue(specs)
	if err != nil {
		return err
	}
	keys, err := loadDevKeys(c.Data)
	if err != nil {
		return fmt.Errorf("--data %s: %w", c.Data, err)
	}
	tokens, err := auth.NewHS256(auth.HS256Config{Secret: keys.jwt})
	if err != nil {
		return err
	}
	sim, err := newDevSim(ctx, n, keys, specs, filepath.Join(c.Data, "zego.jsonl"))
	if err != nil {
		return err
	}
	defer func() { _ = sim.diary.Close() }() // every line is written already
	n.journal = journal.Config{Dir: filepath.Join(c.Data, "nats"), Node: c.Node, Logger: log}
	n.hub = hub.Config{
		Logger: log, APIKeys: []string{c.APIKey}, Auth: tokens, Catalogue: catalogue,
		Sender: sim.client, Game: zego.Game{Client: sim.client, Verifier: sim.verifier}, AppID: devAppID,
		Limits: hub.Limits{Room: limits},
	}
	n.beside = []func(context.Context) error{sim.listener.serve, sim.server.Run}
	open := make(chan struct{})
	n.bindings[0].handler = func(h *hub.Hub) http.Handler {
		return devSite{hub: h, tokens: tokens, sim: sim.server.Admin(), apiKey: c.APIKey, open: open}.handler()
	}
	n.ready = func(ctx context.Context, h *hub.Hub) error {
		if err := c.putRoom(ctx, h.Handler()); err != nil {
			return fmt.Errorf("room %s: %w", devRoom, err)
		}
		close(open)
		return c.welcome(n, s)
	}
	return n.run(ctx)
}

// specs is the built-in catalogue or the given one.
func (c *devCmd) specs(set *settings) []room.GameSpec {
	if c.Games != "" {
		return games(set, c.Games)
	}
	f, err := devGames.Open("dev_games.yaml")
	if err != nil {
		set.fault("games", "the built-in catalogue: %w", err)
		return nil
	}
	defer func() { _ = f.Close() }() // embedded: it cannot fail
	specs, err := zego.ParseGames(f)
	set.take(err)
	return specs
}

// welcome says where to look.
func (c *devCmd) welcome(n *node, s streams) error {
	address := n.listeners[0].Addr().String()
	_, err := fmt.Fprintf(s.out, `giftwire dev is running: hub, embedded NATS and a simulated ZEGO in one process.

  page         http://%[1]s/
  viewers      ws://%[1]s/v1/rooms/%[2]s/ws
  their token  curl -X POST http://%[1]s/v1/dev/tokens
  platform     http://%[1]s/v1/rooms/%[2]s   (Authorization: Bearer %[3]s)
  ZEGO got     http://%[1]s/sim/arrivals
  metrics      http://%[1]s/metrics
  data         %[4]s

Ctrl-C drains and stops.
`, address, devRoom, c.APIKey, c.Data)
	return err
}

// putRoom configures the demo room, as a platform does.
func (c *devCmd) putRoom(ctx context.Context, api http.Handler) error {
	answer, err := askInside(ctx, api, http.MethodPut, "/v1/rooms/"+devRoom, c.APIKey,
		fmt.Sprintf(`{"mini_game_id":%q,"anchor_id":%q}`, devGame, devAnchor))
	if err == nil && answer.status/100 != 2 {
		err = fmt.Errorf("status %d: %s", answer.status, answer.body.String())
	}
	return err
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

// simAdminPath is where the simulator's own API is mounted, beside ZEGO's at /.
const simAdminPath = "/sim"

// zegosimCmd is the simulated ZEGO alone.
type zegosimCmd struct {
	Listen      string   `help:"Address of the API (at /) and of the simulator's own API (below /sim)." default:"127.0.0.1:8090" placeholder:"HOST:PORT"`
	Zego        zegoKeys `embed:"" group:"ZEGO"`
	Games       string   `help:"Catalogue file (YAML): gifts and join words; none: every gift is known, any comment joins." placeholder:"FILE"`
	CallbackURL string   `name:"callback-url" help:"Where callbacks go, such as http://127.0.0.1:8080/v1/zego/callback; empty: nowhere." placeholder:"URL"`
	NotStarted  bool     `name:"not-started" help:"Games have to be started (POST /sim/rooms/ROOM/start; GET /sim/ explains all of it) before gifts are taken."`
	Memory      string   `help:"File by which it remembers MsgIds, joins and rounds over a restart, as ZEGO does." placeholder:"FILE"`
	Log         logFlags `embed:"" group:"Log"`
}

// zegoKeys are the keys that the simulator shares with a hub.
type zegoKeys struct {
	AppID              string `name:"zego-app-id" help:"AppId that is known." placeholder:"N"`
	ServerSecret       string `name:"zego-server-secret" help:"Its ServerSecret." placeholder:"TEXT"`
	ServerSecretFile   string `name:"zego-server-secret-file" help:"File that holds it." placeholder:"FILE"`
	CallbackSecret     string `name:"zego-callback-secret" help:"Its CallbackSecret; needed with --callback-url." placeholder:"TEXT"`
	CallbackSecretFile string `name:"zego-callback-secret-file" help:"File that holds it." placeholder:"FILE"`
}

func (c *zegosimCmd) run(ctx context.Context, s streams) error {
	set := settings{faults: s.faults}
	log := c.Log.logger(&set, s.err)
	cfg := c.config(&set, log)
	address := set.address("listen", c.Listen)
	if len(set.faults) == 0 {
		_, err := zegotest.New(cfg) // its faults are the operator's
		set.take(err)
	}
	if err := set.err(); err != nil {
		return err
	}
	sim, diary, err := newSim(cfg, c.Memory, log)
	if err != nil {
		return fmt.Errorf("--memory %s: %w", c.Memory, err)
	}
	defer func() { _ = diary.Close() }() // every line is written already
	l, err := listen(ctx, "listen", address, log)
	if err != nil {
		return err
	}
	l.server.Handler = simHandler(sim)
	log.Info("simulating ZEGO", slog.String("address", l.Addr().String()))
	return together(ctx, l.serve, sim.Run)
}

func (c *zegosimCmd) config(set *settings, log *slog.Logger) zegotest.Config {
	cfg := zegotest.Config{Logger: log, Games: games(set, c.Games)}
	if set.required("zego-app-id", c.Zego.AppID) {
		cfg.AppID = uint32(set.number("zego-app-id", c.Zego.AppID, 1, 1<<32-1)) //nolint:gosec // bounded
	}
	secret := set.secret("zego-server-secret", c.Zego.ServerSecret, c.Zego.ServerSecretFile)
	if c.Zego.ServerSecretFile == "" {
		set.required("zego-server-secret", secret)
	}
	cfg.ServerSecret = zego.NewSecret(secret)
	if c.NotStarted {
		cfg.Play.Fresh = zegotest.NotStarted
	}
	secret = set.secret("zego-callback-secret", c.Zego.CallbackSecret, c.Zego.CallbackSecretFile)
	if c.CallbackURL != "" && c.Zego.CallbackSecretFile == "" {
		set.required("zego-callback-secret", secret)
	}
	cfg.Reports = zegotest.ReportConfig{URL: c.CallbackURL, Secret: zego.NewSecret(secret)}
	return cfg
}

// games reads a catalogue file; none without a name.
func games(set *settings, file string) []room.GameSpec {
	if file == "" {
		return nil
	}
	specs, err := zego.LoadGames(file)
	if err != nil {
		for _, one := range flatten(err) {
			set.fault("games", "%w", one)
		}
	}
	return specs
}

// simHandler serves ZEGO's API at / and the simulator's own below /sim.
func simHandler(sim *zegotest.Server) http.Handler {
	admin := http.StripPrefix(simAdminPath, sim.Admin())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, simAdminPath+"/"):
			admin.ServeHTTP(w, r)
			return
		case r.URL.Path == simAdminPath:
			http.Redirect(w, r, simAdminPath+"/", http.StatusMovedPermanently)
			return
		}
		sim.ServeHTTP(w, r)
	})
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/giftwire/giftwire/hub"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// serveCmd is a production node.
type serveCmd struct {
	Listen      string `help:"Address for viewers, platform API and callback." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	AdminListen string `name:"admin-listen" help:"Address for metrics, health and profiles." default:"127.0.0.1:8081" placeholder:"HOST:PORT"`
	Node        string `help:"This node's name; default: the host name." placeholder:"NAME"`
	Games       string `help:"Catalogue file (YAML)." placeholder:"FILE"`

	Store   storeFlags    `embed:"" group:"Journal"`
	Zego    zegoFlags     `embed:"" group:"ZEGO"`
	Times   timeFlags     `embed:"" group:"Times"`
	Viewers viewerFlags   `embed:"" group:"Viewers"`
	API     platformFlags `embed:"" group:"Platform API"`
	Limits  limitFlags    `embed:"" group:"Limits"`
	Log     logFlags      `embed:"" group:"Log"`
}

func (c *serveCmd) run(ctx context.Context, s streams) error {
	set := settings{faults: s.faults}
	n := c.node(&set, s)
	if err := set.err(); err != nil {
		return err
	}
	return n.run(ctx)
}

// node checks all settings and makes what they describe.
func (c *serveCmd) node(set *settings, s streams) *node {
	log := c.Log.logger(set, s.err)
	name := c.Node
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			set.fault("node", "is required: the host has no name: %w", err)
		}
		name = host
	}
	set.nodeName("node", name)
	n := &node{journal: c.Store.journal(set, name), log: log}
	n.journal.Logger = log
	n.bindings = []binding{
		{"listen", set.address("listen", c.Listen), (*hub.Hub).Handler},
		{"admin-listen", set.address("admin-listen", c.AdminListen), (*hub.Hub).AdminHandler},
	}
	n.hub = hub.Config{
		Logger: log, APIKeys: c.API.keys(set, log), Web: c.Viewers.web(set), Auth: c.Viewers.auth(set, log),
		Catalogue: c.catalogue(set), Limits: hub.Limits{Room: c.Times.limits(set)},
	}
	c.Limits.fill(set, &n.hub.Limits)
	cfg := c.Zego.config(set)
	client, err := zego.New(cfg)
	if err != nil && len(set.faults) == 0 { // else what is wrong is named already
		set.take(err)
	}
	n.hub.Sender, n.hub.AppID = client, cfg.AppID
	n.hub.Game = c.Zego.game(set, client, cfg.AppID)
	return n
}

// catalogue reads --games. Without it every gift needs its value.
func (c *serveCmd) catalogue(set *settings) room.Catalogue {
	if c.Games == "" {
		return room.Catalogue{}
	}
	games, err := zego.LoadCatalogue(c.Games)
	if err != nil {
		set.take(fmt.Errorf("--games %s: %w", c.Games, err))
	}
	return games
}

// game is ZEGO beside the gifts. Without a callback secret every callback is refused.
func (f *zegoFlags) game(set *settings, client *zego.Client, appID uint32) hub.Game {
	g := zego.Game{Client: client}
	secret := set.secret("zego-callback-secret", f.CallbackSecret, f.CallbackSecretFile)
	if secret == "" || appID == 0 {
		return g
	}
	cfg := zego.VerifierConfig{AppID: appID, Secret: zego.NewSecret(secret)}
	if f.CallbackSHA1 {
		cfg.Scheme = zego.SchemeSHA1
	}
	v, err := zego.NewVerifier(cfg)
	set.take(err)
	g.Verifier = v
	return g
}

// viewerFlags say who may connect.
type viewerFlags struct {
	JWTSecret     string   `name:"jwt-secret" help:"HS256 secret of viewers' tokens; 32 bytes or more are advised." placeholder:"TEXT"`
	JWTSecretFile string   `name:"jwt-secret-file" help:"File that holds it." placeholder:"FILE"`
	JWTAudience   string   `name:"jwt-audience" help:"What a token's aud must hold." default:"giftwire" placeholder:"NAME"`
	AllowOrigin   []string `name:"allow-origin" help:"Web origin whose pages may connect, beside the server's own; repeatable." placeholder:"ORIGIN" sep:","`
	TrustedProxy  []string `name:"trusted-proxy" help:"Address or range whose X-Forwarded-For is believed; repeatable." placeholder:"CIDR" sep:","`
	Avatar        string   `name:"default-avatar" help:"Picture of users who bring none." placeholder:"URL"`
}

func (f *viewerFlags) auth(set *settings, log *slog.Logger) auth.Authenticator {
	secret := set.secret("jwt-secret", f.JWTSecret, f.JWTSecretFile)
	if f.JWTSecretFile == "" {
		set.required("jwt-secret", secret)
	}
	if len(set.faults) > 0 {
		return nil // nothing is started, and what is wrong is named
	}
	if len(secret) < auth.SecretRecommended {
		log.Warn("--jwt-secret is short: who guesses it is every viewer",
			slog.Int("bytes", len(secret)), slog.Int("recommended", auth.SecretRecommended))
	}
	a, err := auth.NewHS256(auth.HS256Config{Secret: []byte(secret), Audience: f.JWTAudience, Avatar: f.Avatar})
	set.take(err)
	return a
}

func (f *viewerFlags) web(set *settings) hub.Web {
	return hub.Web{Origins: set.origins("allow-origin", f.AllowOrigin), Proxies: set.prefixes("trusted-proxy", f.TrustedProxy), Avatar: set.avatar("default-avatar", f.Avatar)}
}

// platformFlags say who may use the platform API.
type platformFlags struct {
	Keys     []string `name:"api-key" help:"Key of the platform API, 16 bytes or more are advised; repeatable, for changing keys." placeholder:"TEXT" sep:"none"`
	KeysFile string   `name:"api-key-file" help:"File of keys, a line each." placeholder:"FILE"`
}

func (f *platformFlags) keys(set *settings, log *slog.Logger) []string {
	keys := f.Keys
	if f.KeysFile != "" {
		keys = append(keys, set.lines("api-key-file", f.KeysFile)...)
	}
	if len(keys) == 0 {
		set.fault("api-key", "is required")
	}
	for i, key := range keys {
		if len(key) < auth.KeyRecommended && len(set.faults) == 0 {
			log.Warn("an --api-key is short: who guesses it gives gifts without paying",
				slog.Int("number", i+1), slog.Int("bytes", len(key)), slog.Int("recommended", auth.KeyRecommended))
		}
	}
	return keys
}

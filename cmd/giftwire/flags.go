package main

import (
	"time"

	"github.com/giftwire/giftwire/hub"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// storeFlags say where the journal is.
type storeFlags struct {
	NATSURL      string `name:"nats-url" help:"NATS servers of your own, comma separated; empty: an embedded one." placeholder:"URL"`
	NATSCreds    string `name:"nats-creds" help:"Credentials file for them." placeholder:"FILE"`
	NATSCA       string `name:"nats-ca" help:"CA file for them." placeholder:"FILE"`
	Data         string `help:"Folder of the embedded NATS." default:"giftwire-data" placeholder:"DIR"`
	Replicas     string `help:"Replicas of new streams: 1, 3, 5; 0: three where the cluster has three servers, else one." default:"0" placeholder:"N"`
	Partitions   string `help:"Logs that rooms are spread over, fixed when the streams are made; 0: 1 embedded, 64 else." default:"0" placeholder:"N"`
	GiftsBytes   string `name:"gifts-bytes" help:"Most that accepted gifts may take on disk." default:"4GiB" placeholder:"SIZE"`
	LedgerBytes  string `name:"ledger-bytes" help:"Most that outcomes, the ledger, may take on disk." default:"16GiB" placeholder:"SIZE"`
	LedgerAge    string `name:"ledger-age" help:"How long outcomes are kept." default:"168h" placeholder:"DURATION"`
	FreeBytes    string `name:"free-bytes" help:"What must be free on the embedded NATS's disk, else gifts are refused." default:"128MiB" placeholder:"SIZE"`
	ResizeStream bool   `name:"resize" help:"Change existing streams to these sizes and ages instead of refusing to start."`
}

func (f *storeFlags) journal(s *settings, node string) journal.Config {
	s.natsURL("nats-url", f.NATSURL)
	return journal.Config{
		Dir: f.Data, NATSURL: f.NATSURL, NATSOptions: journal.FileOptions(f.NATSCreds, f.NATSCA), Node: node,
		Replicas:   f.replicas(s),
		Partitions: int(s.number("partitions", f.Partitions, 0, 1024)),
		FreeBytes:  s.size("free-bytes", f.FreeBytes),
		Retention: journal.Retention{
			GiftBytes: s.size("gifts-bytes", f.GiftsBytes), OutcomeBytes: s.size("ledger-bytes", f.LedgerBytes),
			OutcomeAge: s.duration("ledger-age", f.LedgerAge, 27*time.Hour, 10*365*24*time.Hour), Resize: f.ResizeStream,
		},
	}
}

func (f *storeFlags) replicas(s *settings) int {
	n := int(s.number("replicas", f.Replicas, 0, 5))
	switch {
	case n != 0 && n%2 == 0:
		s.fault("replicas", "%d is not 0, 1, 3 or 5", n)
	case n > 1 && f.NATSURL == "":
		s.fault("replicas", "%d: the embedded server is one", n)
	}
	return n
}

// zegoFlags say how to reach ZEGO.
type zegoFlags struct {
	URL                string `name:"zego-url" help:"Scheme and host of ZEGO's API, such as https://mini-game-api.zego.im." placeholder:"URL"`
	AppID              string `name:"zego-app-id" help:"Your AppId at ZEGO." placeholder:"N"`
	ServerSecret       string `name:"zego-server-secret" help:"Your ServerSecret at ZEGO." placeholder:"TEXT"`
	ServerSecretFile   string `name:"zego-server-secret-file" help:"File that holds it." placeholder:"FILE"`
	CallbackSecret     string `name:"zego-callback-secret" help:"Your CallbackSecret at ZEGO; without it every callback is 401." placeholder:"TEXT"`
	CallbackSecretFile string `name:"zego-callback-secret-file" help:"File that holds it." placeholder:"FILE"`
	CallbackSHA1       bool   `name:"zego-callback-sha1" help:"Callbacks are signed as ZEGO's generic documents say (SHA1), not as the mini-game ones (MD5)."`
}

func (f *zegoFlags) config(s *settings) zego.Config {
	if s.required("zego-url", f.URL) {
		// With stand-ins for what has faults of its own.
		_, err := zego.New(zego.Config{BaseURL: f.URL, AppID: 1, ServerSecret: zego.NewSecret("s")})
		if err != nil {
			s.fault("zego-url", "%w", err)
		}
	}
	var appID int64
	if s.required("zego-app-id", f.AppID) {
		appID = s.number("zego-app-id", f.AppID, 1, 1<<32-1)
	}
	secret := s.secret("zego-server-secret", f.ServerSecret, f.ServerSecretFile)
	if f.ServerSecretFile == "" {
		s.required("zego-server-secret", secret)
	}
	return zego.Config{BaseURL: f.URL, AppID: uint32(appID), ServerSecret: zego.NewSecret(secret)}
}

// timeFlags are the times of a room.
type timeFlags struct {
	FlushInterval string `name:"flush-interval" help:"How long a room's first gift waits for others, 50ms to 200ms." default:"100ms" placeholder:"DURATION"`
	GiftTTL       string `name:"gift-ttl" help:"How old a gift may become before it is not sent any more." default:"60s" placeholder:"DURATION"`
	ZegoTimeout   string `name:"zego-timeout" help:"How long a call to ZEGO may take." default:"5s" placeholder:"DURATION"`
}

func (f *timeFlags) limits(s *settings) room.Limits {
	return room.Limits{
		FlushInterval: s.duration("flush-interval", f.FlushInterval, 50*time.Millisecond, 200*time.Millisecond),
		GiftTTL:       s.duration("gift-ttl", f.GiftTTL, time.Second, 22*time.Hour),
		CallTimeout:   s.duration("zego-timeout", f.ZegoTimeout, 100*time.Millisecond, time.Minute),
	}
}

// limitFlags bound what viewers may send.
type limitFlags struct {
	Gifts     string `name:"limit-gifts" help:"Gifts per user and room." default:"20/40" placeholder:"RATE/BURST"`
	Comments  string `name:"limit-comments" help:"Comments per user and room." default:"2/10" placeholder:"RATE/BURST"`
	Likes     string `name:"limit-likes" help:"Like frames per user and room." default:"10/20" placeholder:"RATE/BURST"`
	Frames    string `name:"limit-frames" help:"Frames per connection." default:"100/200" placeholder:"RATE/BURST"`
	Upgrades  string `name:"limit-upgrades" help:"Upgrades per address." default:"50/500" placeholder:"RATE/BURST"`
	SeatsNode string `name:"limit-viewers-node" help:"Viewers' connections to this node." default:"50000" placeholder:"N"`
	SeatsRoom string `name:"limit-viewers" help:"Viewers' connections to a room on this node." default:"25000" placeholder:"N"`
	SeatsUser string `name:"limit-viewers-user" help:"Connections of one user to this node." default:"20" placeholder:"N"`
	Return    string `name:"limit-return" help:"Viewers a second that a node which drains sends to the others." default:"2000" placeholder:"N"`
	RoomOpen  string `name:"limit-backlog" help:"Gifts of a room that may be pending." default:"20000" placeholder:"N"`
	NodeOpen  string `name:"limit-backlog-node" help:"Gifts of all rooms that may be pending." default:"200000" placeholder:"N"`
}

func (f *limitFlags) fill(s *settings, l *hub.Limits) {
	l.Viewer = hub.ViewerLimits{
		Gifts:    s.rate("limit-gifts", f.Gifts),
		Comments: s.rate("limit-comments", f.Comments),
		Likes:    s.rate("limit-likes", f.Likes),
		Frames:   s.rate("limit-frames", f.Frames),
		Upgrades: s.rate("limit-upgrades", f.Upgrades),
		Seats: hub.Seats{
			Node: int(s.number("limit-viewers-node", f.SeatsNode, 1, hub.SeatsMax)),
			Room: int(s.number("limit-viewers", f.SeatsRoom, 1, hub.SeatsMax)),
			User: int(s.number("limit-viewers-user", f.SeatsUser, 1, hub.SeatsMax)),
		},
		Return: int(s.number("limit-return", f.Return, 1, 1_000_000)),
	}
	l.Intake = intake.Limits{
		RoomOpen: int(s.number("limit-backlog", f.RoomOpen, 1, 1_000_000)),
		NodeOpen: int(s.number("limit-backlog-node", f.NodeOpen, 1, 1_000_000)),
	}
}

// logFlags say how to log.
type logFlags struct {
	Level  string `name:"log-level" help:"debug, info, warn or error." default:"info" placeholder:"LEVEL"`
	Format string `name:"log-format" help:"json or text." default:"json" placeholder:"FORMAT"`
}

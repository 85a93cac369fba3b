package main

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
	"github.com/giftwire/giftwire/zego/zegotest"
)

//go:embed dev_games.yaml
var devGames embed.FS

// devKeys are made once for a data folder: tokens stay good over a restart, as they do
// in production.
type devKeys struct {
	jwt              []byte
	server, callback zego.Secret
}

// devKeyBytes is the length of each key.
const devKeyBytes = 32

// loadDevKeys reads the folder's keys, or makes folder and keys.
func loadDevKeys(dir string) (devKeys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return devKeys{}, err
	}
	name := filepath.Join(dir, "keys")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeDevKeys(name)
	}
	if err != nil {
		return devKeys{}, err
	}
	keys := strings.Fields(string(text))
	if len(keys) != 3 {
		return devKeys{}, fmt.Errorf("%s does not hold three keys; remove it to have new ones made", name)
	}
	return devKeys{[]byte(keys[0]), zego.NewSecret(keys[1]), zego.NewSecret(keys[2])}, nil
}

func makeDevKeys(name string) ([]byte, error) {
	var text []byte
	for range 3 {
		key := make([]byte, devKeyBytes)
		_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
		text = append(hex.AppendEncode(text, key), '\n')
	}
	return text, os.WriteFile(name, text, 0o600)
}

// devSim is a simulated ZEGO behind a real socket, and what talks to it.
type devSim struct {
	server   *zegotest.Server
	listener *listener
	client   *zego.Client
	verifier *zego.Verifier
	diary    io.Closer
}

// newDevSim makes the simulator on a port of its own. Its callbacks go to the node's
// first listener, which is bound by then.
func newDevSim(ctx context.Context, n *node, keys devKeys, games []room.GameSpec, diaryFile string) (*devSim, error) {
	toHub := zego.NewTransport()
	toHub.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", n.listeners[0].Addr().String())
	}
	server, diary, err := newSim(zegotest.Config{
		AppID: devAppID, ServerSecret: keys.server, Games: games, Logger: n.log,
		Reports: zegotest.ReportConfig{URL: "http://localhost/v1/zego/callback", Secret: keys.callback, Transport: toHub},
	}, diaryFile, n.log)
	if err != nil {
		return nil, err
	}
	verifier, err := zego.NewVerifier(zego.VerifierConfig{AppID: devAppID, Secret: keys.callback})
	if err != nil {
		return nil, err
	}
	l, err := listen(ctx, "simulator", "127.0.0.1:0", n.log)
	if err != nil {
		return nil, err
	}
	l.server.Handler = server
	client, err := zego.New(zego.Config{BaseURL: "http://" + l.Addr().String(), AppID: devAppID, ServerSecret: keys.server})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &devSim{server, l, client, verifier, diary}, nil
}

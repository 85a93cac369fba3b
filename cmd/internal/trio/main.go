//go:build unix

// Command trio is giftwire as in production, on one machine, to look at: three NATS
// servers that replicate, three nodes, and a simulated ZEGO, each a process of its own
// on loopback, and the demo page in front of every node:
//
//	go run ./cmd/internal/trio
//
// What it starts it starts again when somebody kills it, which is what it is for. One
// Ctrl-C drains the nodes and ends everything, a second one ends it at once.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // the second signal ends this process as if nobody listened
	status := 0
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		status = 1
		_, _ = fmt.Fprintln(os.Stderr, "trio:", err) // nowhere left to tell
	}
	stop()
	os.Exit(status) //nolint:forbidigo // this is main
}

// options are the command line.
type options struct {
	dir        string
	port, nats int
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("trio", flag.ContinueOnError)
	flags.StringVar(&o.dir, "data", ".giftwire-cluster", "folder of streams, keys and logs")
	flags.IntVar(&o.port, "port", 8081, "the first of three ports for the nodes' pages")
	flags.IntVar(&o.nats, "nats-port", 14222, "the first of three ports for the NATS servers; their routes are 100 above")
	if err := flags.Parse(args); err != nil {
		return err
	}
	t, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	return t.run(ctx, out)
}

// keys are made once for a folder, so that tokens stay good.
type keys struct{ dir string }

// keyBytes is the length of each key.
const keyBytes = 32

// file is the name of a key's file, which is made if it is not there.
func (k keys) file(name string) (string, error) {
	file := filepath.Join(k.dir, name)
	_, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, keyBytes)
		_, _ = rand.Read(key) // never fails
		err = os.WriteFile(file, hex.AppendEncode(nil, key), 0o600)
	}
	return file, err
}

// read makes or reads a key.
func (k keys) read(name string) (file, key string, err error) {
	if file, err = k.file(name); err != nil {
		return "", "", err
	}
	text, err := os.ReadFile(file) //nolint:gosec // a file of ours
	return file, strings.TrimSpace(string(text)), err
}

// moduleRoot is where go.mod is.
func moduleRoot(ctx context.Context) (string, error) {
	name, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(name)), nil
}

//go:build linux

// Command chaos runs the real giftwire through faults and proves that nothing is lost
// and nothing given twice:
//
//	go run ./cmd/internal/chaos -only kill,power -each 60s
//
//	go run ./cmd/internal/chaos -cluster -only owners -kills 100
//
// Each scenario has its own simulated ZEGO (in this process, so that it outlives the
// nodes), data folder, and viewers on WebSockets who follow the protocol. Afterwards
// everything has to heal; viewers ask again for what is decided; the node drains;
// `giftwire audit` reads the folder; and package verdict compares what viewers, ZEGO's
// ledger and the hub's ledger say. Exit status 1 if one scenario fails.
//
// With -cluster there are three nodes and three NATS servers, each a process on a host of
// its own: a network namespace with links to ZEGO and viewers, to NATS, and between the
// NATS servers, that can be cut one by one.
//
// It is a program and not a test with a build tag: it needs a mount namespace and root,
// prints a table, and is compiled and linted with everything else. It runs itself once
// more in a mount namespace of its own, and every process that it starts dies with it:
// however it ends, no mount, loop device or process stays behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/natscluster"
)

const sigTerm = syscall.SIGTERM

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, sigTerm)
	status := 0
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		status = 1
		_, _ = fmt.Fprintln(os.Stderr, "chaos:", err) // nowhere left to tell
	}
	stop()
	os.Exit(status) //nolint:forbidigo // this is main
}

// options are the command line.
type options struct {
	only  string
	each  time.Duration
	seed  uint64
	kills int
	keep  bool
	// cluster: scenarios of many nodes.
	cluster bool
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.StringVar(&o.only, "only", "", "scenarios, comma separated; empty: all of "+strings.Join(names(scenarios()), ",")+
		"; with -cluster "+strings.Join(names(clusterScenarios()), ",")+", and by name only "+strings.Join(names(clusterMeasures()), ","))
	flags.BoolVar(&o.cluster, "cluster", false, "three nodes and three NATS servers")
	flags.DurationVar(&o.each, "each", 0, "how long scenarios without an end of their own go on; 0: their own default")
	flags.Uint64Var(&o.seed, "seed", 1, "draws load and times of faults")
	flags.IntVar(&o.kills, "kills", 20, "least kills of the scenarios kill and owners, and drains of rolling")
	flags.BoolVar(&o.keep, "keep", false, "keep the folders, with logs of NATS at debug level")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(o.only, o.cluster)
	if err != nil {
		return err
	}
	if os.Getenv(insideKey) == "" {
		return again(ctx, args, o.cluster)
	}
	return runAll(ctx, chosen, o, out)
}

// insideKey marks the process in the mount namespace.
const insideKey = "GIFTWIRE_CHAOS_INSIDE"

// again runs this program in a mount namespace of its own, and in a network of its own
// where there are many nodes: what is mounted and linked there goes with its last
// process.
func again(ctx context.Context, args []string, network bool) error {
	if os.Geteuid() != 0 {
		return errors.New("needs root: it mounts small disks, traces processes, cuts links")
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if network {
		cmd.SysProcAttr.Unshareflags |= syscall.CLONE_NEWNET
	}
	cmd.Env = append(os.Environ(), insideKey+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(sigTerm) }
	cmd.WaitDelay = 30 * time.Second
	return cmd.Run()
}

// runAll runs the scenarios one after the other.
func runAll(ctx context.Context, chosen []scenario, o options, out io.Writer) error {
	dir, err := os.MkdirTemp("", "giftwire-chaos")
	if err != nil {
		return err
	}
	t := &tools{dir: dir, binary: filepath.Join(dir, "giftwire"), natsd: filepath.Join(dir, "natsd"), seed: o.seed, kills: o.kills, keep: o.keep}
	if t.root, err = moduleRoot(ctx); err != nil {
		return err
	}
	if err := t.build(ctx, t.binary); err != nil {
		return err
	}
	if o.cluster {
		if err := natscluster.Build(ctx, t.root, "cmd/internal/natsd", t.natsd); err != nil {
			return err
		}
	}
	var outcomes []*outcome
	for _, s := range chosen {
		if ctx.Err() != nil {
			break
		}
		r := s.run(ctx, t, o)
		outcomes = append(outcomes, r)
		if _, err := fmt.Fprintln(out, r.line()); err != nil {
			return err
		}
		if r.OK() && !o.keep {
			scratch := filepath.Join(dir, s.name)
			if err := errors.Join(unmountBelow(scratch), os.RemoveAll(scratch)); err != nil {
				return err
			}
		}
	}
	return errors.Join(report(out, dir, outcomes), ctx.Err())
}

func moduleRoot(ctx context.Context) (string, error) {
	name, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(name)), nil
}

// build compiles giftwire.
func (t *tools) build(ctx context.Context, name string, flags ...string) error {
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-o", name}, flags...), "./cmd/giftwire")...)
	cmd.Dir = t.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// cable is one of the networks that hosts are linked to. They are apart, so that a node
// can lose NATS and keep viewers and ZEGO, and NATS servers can lose each other and keep
// the nodes.
type cable string

// The networks, and this process's address in them, where it has one.
const (
	face   cable = "face"   // nodes, viewers, ZEGO
	store  cable = "store"  // nodes and tools to NATS
	routes cable = "routes" // NATS servers to each other
)

func (w cable) prefix() string {
	return map[cable]string{face: "10.77.1.", store: "10.77.2.", routes: "10.77.3."}[w]
}

// here is this process's address in a network.
func (w cable) here() string { return w.prefix() + "1" }

// plug makes the networks.
func plug(ctx context.Context) error {
	lines := []string{"link set lo up"}
	for _, w := range []cable{face, store, routes} {
		lines = append(lines, fmt.Sprintf("link add %s type bridge", w), fmt.Sprintf("link set %s up", w),
			fmt.Sprintf("addr add %s/24 dev %s", w.here(), w))
	}
	return ip(ctx, nil, lines...)
}

// unplug removes them.
func unplug(ctx context.Context) error {
	var lines []string
	for _, w := range []cable{face, store, routes} {
		lines = append(lines, fmt.Sprintf("link del %s", w))
	}
	return ip(ctx, nil, lines...)
}

// ip runs commands of iproute2, in a host or here.
func ip(ctx context.Context, in *host, lines ...string) error {
	line := []string{"ip", "-batch", "-"}
	if in != nil {
		line = in.inside(line)
	}
	cmd := exec.CommandContext(ctx, line[0], line[1:]...) //nolint:gosec // our own
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s\n%s", strings.Join(line, " "), err, strings.Join(lines, "\n"), out)
	}
	return nil
}

// host is a machine as far as the network goes: a namespace that outlives the processes
// in it, held by one that sleeps.
type host struct {
	name   string
	number int
	anchor *exec.Cmd
	cables []cable
}

// newHost makes a host and links it.
func newHost(ctx context.Context, name string, number int, cables ...cable) (*host, error) {
	h := &host{name: name, number: number, cables: cables}
	h.anchor = exec.Command("sleep", "infinity") //nolint:noctx // it is ended by close
	h.anchor.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := h.anchor.Start(); err != nil {
		return nil, err
	}
	inside := []string{"link set lo up"}
	var outside []string
	for _, w := range cables {
		outside = append(outside,
			fmt.Sprintf("link add %s type veth peer name %s netns %d", h.end(w), w, h.anchor.Process.Pid),
			fmt.Sprintf("link set %s master %s", h.end(w), w),
			fmt.Sprintf("link set %s up", h.end(w)))
		inside = append(inside, fmt.Sprintf("addr add %s/24 dev %s", h.address(w), w), fmt.Sprintf("link set %s up", w))
	}
	err := ip(ctx, nil, outside...)
	if err == nil {
		err = ip(ctx, h, inside...)
	}
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// end is our end of a host's link.
func (h *host) end(w cable) string { return h.name + "-" + string(w) }

func (h *host) address(w cable) string { return fmt.Sprint(w.prefix(), h.number) }

// inside is a command line that runs in the host's network. nsenter becomes the program:
// signals to it reach that.
func (h *host) inside(line []string) []string {
	return append([]string{"nsenter", "--net=/proc/" + fmt.Sprint(h.anchor.Process.Pid) + "/ns/net", "--"}, line...)
}

// cut takes a link away, without a word to either side: what is sent is lost.
func (h *host) cut(ctx context.Context, w cable) error { return h.set(ctx, w, "down") }

// mend brings it back.
func (h *host) mend(ctx context.Context, w cable) error { return h.set(ctx, w, "up") }

func (h *host) set(ctx context.Context, w cable, state string) error {
	if !slices.Contains(h.cables, w) {
		return fmt.Errorf("%s has no link %s", h.name, w)
	}
	return ip(ctx, nil, fmt.Sprintf("link set %s %s", h.end(w), state))
}

// mendAll brings all links back.
func (h *host) mendAll(ctx context.Context) error {
	var errs []error
	for _, w := range h.cables {
		errs = append(errs, h.mend(ctx, w))
	}
	return errors.Join(errs...)
}

// close removes the host, whose processes have ended. Its links go first: a namespace is
// taken down at leisure, and the next host has the same names.
func (h *host) close() {
	for _, w := range h.cables {
		_ = ip(context.Background(), nil, "link del "+h.end(w)) // it may never have been made
	}
	_ = h.anchor.Process.Kill() // it sleeps
	_ = h.anchor.Wait()         // it was killed
}

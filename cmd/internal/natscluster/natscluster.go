// Package natscluster is a cluster of NATS servers with the settings that giftwire
// requires of production, as files for nats-server or natsd, one process a server. It is
// for trials and chaos on one machine.
package natscluster

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Name is the cluster's.
const Name = "giftwire"

// Server is one of the cluster.
type Server struct {
	Name string
	// Client is HOST:PORT for nodes and tools, Route for the other servers. They may be
	// of different networks.
	Client, Route string
	// Store is the folder of its streams.
	Store string
	// Monitor is HOST:PORT of its HTTP monitoring, by which it says who leads what;
	// empty: none.
	Monitor string
}

// Local is n servers on loopback, with folders below dir, clients at the ports from
// first on and routes 100 above.
func Local(dir string, n, first int) []Server {
	servers := make([]Server, n)
	for i := range servers {
		name := "nats" + strconv.Itoa(i+1)
		servers[i] = Server{
			Name: name, Store: filepath.Join(dir, name),
			Client: net.JoinHostPort("127.0.0.1", strconv.Itoa(first+i)),
			Route:  net.JoinHostPort("127.0.0.1", strconv.Itoa(first+100+i)),
		}
	}
	return servers
}

// URL is what --nats-url takes: all servers, so that a node finds one that lives.
func URL(servers []Server) string {
	urls := make([]string, len(servers))
	for i, s := range servers {
		urls[i] = "nats://" + s.Client
	}
	return strings.Join(urls, ",")
}

// Config is the file of one of the servers. What giftwire requires in it:
//
//   - sync_interval: always. Without it an answered publish is fsynced within two
//     minutes only, and a power loss of two servers loses what was accepted since.
//   - max_payload: 1 MiB, the largest record with its headers.
//   - max_file_store: more than the streams may grow to, 24 GiB with the default
//     retention: a server refuses streams that it could not keep. It is a limit; nothing
//     is taken from the disk before it is needed.
//   - max_memory_store: the bucket of leases, 1 MiB.
//   - ping_interval and ping_max between servers: a route that is dead without a word is
//     noticed within 6 s and not after a minute.
func Config(servers []Server, i int) string {
	var routes []string
	for n, s := range servers {
		if n != i {
			routes = append(routes, "nats://"+s.Route)
		}
	}
	s, monitor := servers[i], ""
	if s.Monitor != "" {
		monitor = "\nhttp: " + s.Monitor
	}
	return fmt.Sprintf(`server_name: %s
listen: %s%s
max_payload: 1MB
jetstream {
  store_dir: %q
  sync_interval: always
  max_file_store: 64GB
  max_memory_store: 64MB
}
cluster {
  name: %s
  listen: %s
  no_advertise: true
  ping_interval: "2s"
  ping_max: 2
  routes: [%s]
}
`, s.Name, s.Client, monitor, s.Store, Name, s.Route, strings.Join(routes, ", "))
}

// Write writes each server's file to dir and returns their names.
func Write(dir string, servers []Server) ([]string, error) {
	files := make([]string, len(servers))
	for i, s := range servers {
		if err := os.MkdirAll(s.Store, 0o700); err != nil {
			return nil, err
		}
		files[i] = filepath.Join(dir, s.Name+".conf")
		if err := os.WriteFile(files[i], []byte(Config(servers, i)), 0o600); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// Build compiles a command of this module, such as cmd/internal/natsd, into a file.
func Build(ctx context.Context, root, pkg, file string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", file, "./"+pkg) //nolint:gosec // our own packages
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

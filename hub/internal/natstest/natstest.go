// Package natstest runs NATS servers with JetStream inside the process of a test, alone or
// as a cluster of three. It is internal to the hub, and for its tests only.
package natstest

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// patience is far more than a start takes.
const patience = time.Minute

// Server is a server on loopback that syncs each write, as giftwire requires. It can be
// stopped and started again, on the same folder and port. Its methods fail the test
// instead of returning errors, and are not safe for concurrent use.
type Server struct {
	tb      testing.TB
	options *server.Options
	running *server.Server
}

// Start runs a server alone until the test ends.
func Start(tb testing.TB, change ...func(*server.Options)) *Server {
	tb.Helper()
	s := plan(tb, change...)
	s.Start()
	return s
}

// Cluster plans servers that replicate to each other, and starts none. They end with the
// test.
func Cluster(tb testing.TB, size int) Servers {
	tb.Helper()
	ports := freePorts(tb, 2*size)
	var all Servers
	for n := range size {
		all = append(all, plan(tb, func(o *server.Options) {
			o.ServerName, o.Port = fmt.Sprint("s", n), ports[size+n]
			o.Cluster = server.ClusterOpts{Name: tb.Name(), Host: o.Host, Port: ports[n]}
			for _, port := range ports[:size] {
				o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("%s:%d", o.Host, port)})
			}
		}))
	}
	return all
}

// plan is a server that was not started yet.
func plan(tb testing.TB, change ...func(*server.Options)) *Server {
	tb.Helper()
	o := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: tb.TempDir(), SyncAlways: true,
		// What streams reserve is no space: 1 TiB on any disk.
		JetStreamMaxStore: 1 << 40, JetStreamMaxMemory: 16 << 20,
	}
	for _, c := range change {
		c(o)
	}
	s := &Server{tb: tb, options: o}
	tb.Cleanup(s.Stop)
	return s
}

// freePorts are held together, so that no two are the same.
func freePorts(tb testing.TB, n int) (ports []int) {
	tb.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		defer l.Close() //nolint:errcheck // nothing was ever accepted
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// Start starts a server that was stopped or planned, and waits until it takes connections.
func (s *Server) Start() {
	s.tb.Helper()
	running, err := server.NewServer(s.options.Clone())
	if err != nil {
		s.tb.Fatal(err)
	}
	go running.Start() // ends with Shutdown
	s.running = running
	if !running.ReadyForConnections(patience) {
		s.tb.Fatal("the NATS server did not start")
	}
	s.options.Port = running.Addr().(*net.TCPAddr).Port // for the next start
}

// Stop ends the server. Again, it does nothing.
func (s *Server) Stop() {
	if s.running == nil {
		return
	}
	s.running.Shutdown()
	s.running.WaitForShutdown()
}

// Restart is Stop and Start.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	s.Start()
}

// URL is where clients connect, also while it is stopped.
func (s *Server) URL() string { return fmt.Sprintf("nats://%s:%d", s.options.Host, s.options.Port) }

// Name is the server's name in its cluster.
func (s *Server) Name() string { return s.options.ServerName }

// Servers are those of one cluster.
type Servers []*Server

// Start starts all of them.
func (all Servers) Start() Servers {
	for _, s := range all {
		s.tb.Helper()
		s.Start()
	}
	return all
}

// Named is the server of that name, nil if there is none.
func (all Servers) Named(name string) *Server {
	for _, s := range all {
		if s.Name() == name {
			return s
		}
	}
	return nil
}

// URLs are the addresses of all, as a node is given them.
func (all Servers) URLs() string {
	urls := make([]string, len(all))
	for i, s := range all {
		urls[i] = s.URL()
	}
	return strings.Join(urls, ",")
}

// ByHand is what an operator does with the nats command.
func ByHand(tb testing.TB, urls string) jetstream.JetStream {
	tb.Helper()
	nc, err := nats.Connect(urls)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		tb.Fatal(err)
	}
	return js
}

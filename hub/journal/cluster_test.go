package journal_test

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/giftwire/giftwire/hub/journal"
)

// startCluster runs three servers in this process that replicate, until the test
// ends, and returns their URLs.
func startCluster(t *testing.T) string {
	t.Helper()
	const servers = 3
	ports := freePorts(t, 2*servers)
	var routes []*url.URL
	for _, port := range ports[:servers] {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	var urls []string
	for n := range servers {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("s", n), Host: "127.0.0.1", Port: ports[servers+n], NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[n]}, Routes: routes,
			JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
			JetStreamMaxStore: 1 << 40, JetStreamMaxMemory: 1 << 20,
		})
		if err != nil {
			t.Fatal(err)
		}
		go s.Start() // ends with Shutdown
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		if !s.ReadyForConnections(patience) {
			t.Fatalf("NATS server %d did not start", n)
		}
		urls = append(urls, s.ClientURL())
	}
	return strings.Join(urls, ",")
}

// freePorts are held together, so that no two are the same.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() //nolint:errcheck // nothing was ever accepted
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// TestContractCluster runs the contract on three replicas: where reads may be
// stale and a fence answers with other codes.
func TestContractCluster(t *testing.T) {
	urls := startCluster(t)
	setup := func(t *testing.T) open {
		t.Helper()
		js := byHand(t, urls)
		return func(node string) *journal.Journal {
			// Without a wish, streams get three replicas here.
			j, err := journal.Open(t.Context(), journal.Config{NATSURL: urls, Node: node, Partitions: 4, Retention: small()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := j.Close(); err != nil {
					t.Error(err)
				}
				for _, name := range []string{"OUTCOMES", "GIFTS", "SNAPS", "IDS"} {
					err := js.DeleteStream(bounded(t), name)
					if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
						t.Error(err)
					}
				}
			})
			run(t, j)
			for _, name := range []string{"OUTCOMES", "GIFTS", "SNAPS", "IDS"} {
				s, err := js.Stream(t.Context(), name)
				if err != nil || s.CachedInfo().Config.Replicas != 3 {
					t.Fatalf("stream %s: %+v, %v", name, s, err)
				}
			}
			return j
		}
	}
	contract(t, setup)
	contractOfTwo(t, setup)
}

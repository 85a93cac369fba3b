package natscluster_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/giftwire/giftwire/cmd/internal/natscluster"
)

// What is written is what a server reads: with the settings on which gifts depend.
func TestConfigIsRead(t *testing.T) {
	dir := t.TempDir()
	servers := natscluster.Local(dir, 3, 14222)
	files, err := natscluster.Write(dir, servers)
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		o, err := server.ProcessConfigFile(file)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if !o.SyncAlways || !o.JetStream || o.MaxPayload != 1<<20 || o.StoreDir != servers[i].Store {
			t.Errorf("%s: sync %v, JetStream %v, payload %d, folder %s", file, o.SyncAlways, o.JetStream, o.MaxPayload, o.StoreDir)
		}
		if o.JetStreamMaxStore < 24<<30 || o.JetStreamMaxMemory < 1<<20 {
			t.Errorf("%s: room for %d on disk, %d in memory", file, o.JetStreamMaxStore, o.JetStreamMaxMemory)
		}
		if o.ServerName != servers[i].Name || o.Cluster.Name != natscluster.Name || o.Port != 14222+i || o.Cluster.Port != 14322+i {
			t.Errorf("%s: %s of %s at %d and %d", file, o.ServerName, o.Cluster.Name, o.Port, o.Cluster.Port)
		}
		var routes []string
		for _, r := range o.Routes {
			routes = append(routes, r.Host)
		}
		var want []string
		for n, s := range servers {
			if n != i {
				want = append(want, s.Route)
			}
		}
		if diff := cmp.Diff(want, routes); diff != "" {
			t.Errorf("%s: routes %s", file, diff)
		}
	}
	if got := natscluster.URL(servers); strings.Count(got, "nats://127.0.0.1:") != 3 {
		t.Error(got)
	}
}

package cluster_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/giftwire/giftwire/hub/cluster"
)

// placing lists where each partition is.
func placing(nodes []string) []string {
	out := make([]string, 1024)
	for p := range out {
		out[p] = cluster.Place(p, nodes)
	}
	return out
}

func TestPlacesAreSpread(t *testing.T) {
	for n := 1; n <= 9; n++ {
		var nodes []string
		for i := range n {
			nodes = append(nodes, fmt.Sprintf("node-%d.example.com", i))
		}
		share := make(map[string]int)
		for _, node := range placing(nodes) {
			share[node]++
		}
		for _, node := range nodes {
			if fair := 1024 / n; share[node] < fair*3/4 || share[node] > fair*4/3 {
				t.Errorf("of %d nodes %s has %d partitions, %d are fair", n, node, share[node], fair)
			}
		}
	}
}

// Who comes takes, who goes leaves, and nothing else moves.
func TestNoOtherPartitionMoves(t *testing.T) {
	nodes := []string{"a", "b", "c"}
	before, after := placing(nodes), placing([]string{"d", "c", "b", "a"})
	moved := 0
	for p := range before {
		if before[p] != after[p] {
			moved++
			if after[p] != "d" {
				t.Fatalf("partition %d moved from %s to %s when d came", p, before[p], after[p])
			}
		}
	}
	if moved < 1024/4*3/4 || moved > 1024/4*4/3 {
		t.Errorf("%d of 1024 partitions moved to the fourth node", moved)
	}
	if !slices.Equal(after, placing([]string{"a", "d", "b", "c"})) {
		t.Error("the order in which nodes are known matters")
	}
	if got := cluster.Place(7, nil); got != "" {
		t.Errorf("without nodes: %q", got)
	}
}

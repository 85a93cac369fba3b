package cluster

import "hash/fnv"

// Place says which of the nodes a partition belongs to: rendezvous hashing, so that a
// node that comes takes its share and no other partition moves, and those of a node
// that goes are spread over all that stay. Every node that knows the same nodes gets
// the same answer. Without nodes it is "".
func Place(partition int, nodes []string) string {
	var best string
	var most uint64
	for _, node := range nodes {
		w := weight(partition, node)
		if best == "" || w > most || w == most && node < best {
			best, most = node, w
		}
	}
	return best
}

// weight is a hash of both. FNV's high bits barely depend on its last bytes, so it is
// mixed once more (the finalizer of SplitMix64).
func weight(partition int, node string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(node))                              // never fails
	x := h.Sum64() ^ (uint64(partition)+1)*0x9e3779b97f4a7c15 //nolint:gosec // a partition's number
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Package cluster is what the nodes of one giftwire know together. For now that is
// the [Registry]: the rooms that the platform has configured.
//
// # Guarantees
//
//   - A change is stored (fsynced, or by a quorum) before Put, Delete or SetGame
//     returns, and then seen by Get on this node.
//   - Of two nodes that change a room at once, none overwrites what it has not seen:
//     changes are compare-and-swap on the room's revision.
//   - Every node's listener hears of every change of a room or of a newer one, in
//     the order of revisions, each at most once.
package cluster

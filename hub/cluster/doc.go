// Package cluster is what the nodes of one giftwire know together: the [Registry] of the
// rooms that the platform has configured, [Members], which nodes live, [Place], where each
// partition belongs, and the [Bus] between nodes.
//
// # Guarantees of the members
//
//   - A node acts as an owner only while [Members.Valid]: at most 1.8 s after it asked for
//     its last good renewal. Another one is declared dead 2 s after it was last seen to
//     renew, by nodes whose own renewals succeed: when NATS is away nobody dies.
//   - No clocks of two machines are compared.
//
// # Guarantees of the registry
//
//   - A change is stored (fsynced, or by a quorum) before Put, Delete or SetGame
//     returns, and then seen by Get on this node.
//   - Of two nodes that change a room at once, none overwrites what it has not seen:
//     changes are compare-and-swap on the room's revision.
//   - Every node's listener hears of every change of a room's configuration or of a newer
//     one, in the order of revisions, each at most once.
package cluster

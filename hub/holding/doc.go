// Package holding is which partitions this node owns: it takes those that belong to it
// when nobody else may own them, and gives them up when they belong elsewhere.
//
// # Guarantees
//
//   - A partition is taken only if the newest record of its log is a release, or the
//     node that wrote it has lost its lease. (That it is owned once is not decided here:
//     the log refuses every writer but the last one who took it.)
//   - A node that comes gets its share by releases, a few partitions at a time, and no
//     partition moves that need not.
//   - When Run returns, nothing that it held runs any more.
package holding

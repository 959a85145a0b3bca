// Package placement decides where sessions lie. A [Cluster] is the
// store.Backend over nodes that know nothing of each other.
//
// It follows the commit and failover protocol of docs/design.md, as it reads
// for one node; the steps keep their names there: READ, COMMIT, CREATE,
// DESTROY, LIFE, RENEW.
package placement

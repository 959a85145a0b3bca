// Package drill tries out whether sessions survive. It runs three cache nodes
// and three app servers, puts load on them, kills, freezes and empties one after
// the other, and keeps a ledger of what it was promised:
//
//   - mode.go: how app servers keep sessions; each mode has a drill of its own
//   - node.go, embedded.go, memcached.go: cache nodes that can be killed
//   - server.go, handlers.go: app servers that can be killed
//   - site.go: all of them, and when they have recovered from a fault
//   - fault.go: the faults, one at a time
//   - client.go, work.go: the load
//   - ledger.go, session.go: what was acknowledged, and what is there
//   - report.go, figures.go: the outcome
package drill

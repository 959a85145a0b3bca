// Package drill tries out whether sessions survive. It runs three cache nodes
// and three app servers, puts load on them, kills, freezes and empties one after
// the other, and keeps a ledger of what it was promised:
//
//   - drill.go: a drill of each mode in which app servers keep sessions
//   - site.go: nodes and servers (package rig), and when they have recovered from a fault
//   - fault.go: the faults, one at a time
//   - client.go, work.go: the load; package ledger has the app, and what was acknowledged
//   - report.go, figures.go: the outcome
package drill

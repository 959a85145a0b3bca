// Package staging checks on real processes whether sessions survive: app servers that
// run "holdfast app", and memcached, its own or an operator's. It puts load on them,
// has one thing at a time fail, and gives all that clients were told to package
// history, which decides.
//
//   - staging.go: a check from its start to its report
//   - cluster.go, mode.go: the processes, and how app servers keep sessions
//   - line.go: a proxy between an app server and a node, which can be troubled
//   - fault.go: the faults, drawn from a seed; chaos.go, statistics.go: one after the
//     other, each when everything has recovered from the last
//   - standstill.go: when this machine had no time for any of it
//   - work.go, sleeper.go: what the clients do; places.go, session.go: with what
//   - client.go, balancer.go: how a request gets to an app server, and what it was told
//   - record.go, journal.go, meter.go: what becomes of that in the history and in figures
//   - report.go, text.go, page.go, plot.go: the outcome as text, JSON, and a page
package staging

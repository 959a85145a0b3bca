// Package schedules plays generated faults against a whole cluster: app servers with
// the real manager and middleware, the real memcached client, and cache nodes of
// package node, all in one bubble of package synctest, over a network in memory.
//
// A [Schedule] is a list of steps made from a seed: what clients do, faults, and their
// repair. It is text, so that a failing one can be kept and played again:
//
//	go test ./integration/schedules -run TestSchedule -replay file
//
// What the clients were told goes into a history, and package history decides.
package schedules

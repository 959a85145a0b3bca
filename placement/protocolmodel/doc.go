// Package protocolmodel checks the commit and failover protocol of
// docs/protocol.md by trying everything: [Check] takes a few nodes, a few
// clients on two app servers and a budget of faults, and walks through every
// order in which messages can arrive and faults can strike.
//
// Read it in this order:
//
//	rules.go     the rules of the protocol, each with a switch
//	record.go    what is stored: records, versions, items
//	node.go      one cache node, with the semantics of memcached
//	state.go     everything that one moment consists of
//	view.go      what a client concludes from the answers to a READ
//	actor.go     a client at its turn
//	read.go, commit.go, epoch.go, create.go, destroy.go, renew.go, life.go
//	             its steps, named as in docs/protocol.md
//	start.go     the first state of a walk
//	moves.go, faults.go, strays.go, time.go, hangs.go, queue.go
//	             what can happen next: messages arrive, faults strike, time
//	             passes, a node hangs and is back, a tombstone is repeated
//	promise.go   what must be true at every moment
//	search.go    the walk through all states
//	narrate.go   a walk in words
//
// The steps of a client between two waits are one move with the arrival of the
// answer that it waited for: they touch nothing but the client and what it
// sends, and what it sends arrives at any later time. An acknowledgement is then
// as early as it can be, so that most is owed to whoever comes after it.
//
// Time passes in ticks, on all nodes together, and only while nobody waits: a
// tick is long beside a request. What is sent behind an answer arrives within
// the tick, or is lost; only a node that hangs does something later.
//
// Nothing of the product is imported. The product's code follows these steps by
// name, and its own tests run it over real stores.
package protocolmodel

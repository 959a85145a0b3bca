// Package sticky keeps the sessions of one app server in its memory, and sends
// what changes there to the nodes below: before a request is answered, or behind
// it. It is the store.Backend of sticky mode.
//
// The cookie says which server had a session last. If that is this one, its memory
// is the truth and a read asks nobody ([Sessions.Continue]); if not, what lies here
// is old, and the session is read from the nodes ([Sessions.Load]). A change that was
// made on an old copy, because a balancer or a browser was faster, is refused by the
// nodes' compare-and-set, and made again on the newest state.
//
//	sessions.go, session.go      the sessions in memory, and one of them
//	load.go, check.go            reading, and how an old copy is noticed
//	commit.go, here.go           changes: on the nodes, and in memory first
//	destroy.go                   the end of a session
//	batch.go, queue.go, send.go  changes on their way to the nodes
//	filter.go                    attributes that never leave this server
//	outage.go, pulse.go          no node answers; this server has stood still
//	memory.go                    idle sessions are packed, and leave
package sticky

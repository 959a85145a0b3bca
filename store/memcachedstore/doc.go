// Package memcachedstore keeps items in memcached servers. It is a
// [store.Store] over one memcached, and the client that speaks to it: meta
// commands (memcached 1.6) or classic ones (before, and behind proxies), one
// connection, the requests of all goroutines pipelined on it.
//
//	nodes, err := memcachedstore.Nodes("n1:10.0.0.1:11211 n2:10.0.0.2:11211", nil)
//
// # The way of a call
//
// A method makes a call and puts it into the queue of the connection. If
// nobody is writing, the caller takes the whole queue as one batch of commands
// and writes it; what the kernel does not take at once, and what others queued
// meanwhile, is left to the writer goroutine. In company a caller first lets the
// others run, so that their commands go with its own.
//
// A caller who is alone reads its answer too, so that no goroutine waits for
// another. In company the reader goroutine gives the answers, which memcached
// sends in the order of the commands, to the calls in that order, and goes on
// until calls come one by one. It also reads what takes longer than 10 ms, and
// after 20 ms without a call, so that the end of a connection shows before the
// next one. Who has started a call (StartGet, StartPut) reads its answer when he
// waits for it; whoever comes before that, and the reader after 10 to 20 ms, takes
// that from him. A third goroutine ends a connection on which calls wait and nothing
// comes.
//
// # Versions and connections
//
// memcached counts its compare-and-set tokens from 1 after each start, so a
// token of the time before can match another item. A [store.Version] therefore
// carries the number of the connection on which it was read, and a conditional
// write with a version of another connection is [store.ErrConflict] and is not
// sent. So a lost connection costs each reader of before one more read. A
// proxy that passes meta commands would hide a restart: do without it.
//
// # Classic commands
//
// Each new connection finds out what the server knows. One without meta
// commands is served by gets, set, add, cas, touch and delete: each write is
// followed by a read that tells the new version, and by a second item, the
// note, that tells later how much time is left.
//
// Behind a proxy no connection tells of a restart. There a [store.Version]
// carries a fingerprint of the item instead, and a conditional write reads the
// item first: one more round trip. docs/servers.md tells which servers and
// proxies will do, what is weaker there, and the form of a note.
//
// # Waiting
//
// Each call ends soon after its context. A caller that gives up leaves its
// place in the pipeline: the answer is thrown away when it comes, and the
// calls behind are not touched. A call that was still queued is not sent.
// Options say how long a call without a deadline waits, and after which silence
// a connection is ended; all calls under way on it then fail. The next
// call dials again at once; after a dial that failed calls fail immediately
// until a pause has passed, which grows to two seconds.
//
// Of one Store, at most 16384 calls are under way and 32 MiB of values wait to
// be sent. A call above that fails at once with [store.ErrUnavailable].
//
// # Times to live
//
// memcached counts whole seconds: a TTL is rounded up. It takes numbers above
// 30 days for dates, so an item with a longer TTL is stored without one; its
// owner finds the end in the item's value.
package memcachedstore

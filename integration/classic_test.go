package integration

import (
	"testing"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/integration/wire"
	"github.com/holdfast-sessions/holdfast/store/storetest"
)

// The contract of store.Store on a memcached that knows no meta commands.
func TestClassicStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		server := servers.StartMemcached(t)
		return memcachedHarness(t, server.Process, withoutMeta(t, server.Addr).Addr, nil)
	})
}

// The contract behind twemproxy. Only memcached restarts, and the connections to
// the proxy stay: nothing but the items themselves tells of it.
func TestClassicStoreBehindNutcracker(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		server := servers.StartMemcached(t)
		return memcachedHarness(t, server.Process, servers.StartNutcracker(t, server.Addr).Addr, nil)
	})
}

// The contract on a pool, where an item and the note of its end may lie on
// different servers.
func TestClassicStoreBehindNutcrackerWithTwoServers(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		one, two := servers.StartMemcached(t), servers.StartMemcached(t)
		h := memcachedHarness(t, one.Process, servers.StartNutcracker(t, one.Addr, two.Addr).Addr, nil)
		h.Restart = func(testing.TB) { one.Restart(); two.Restart() }
		return h
	})
}

// withoutMeta starts a line to the memcached at addr on which meta commands are
// unknown, as to memcached before 1.6.
func withoutMeta(t testing.TB, addr string) *wire.Proxy {
	t.Helper()
	line := wire.Start(t, addr)
	line.Intercept(refuseMeta)
	return line
}

func refuseMeta(cmd wire.Command) wire.Action {
	switch cmd.Verb {
	case "mn", "mg", "ms", "md", "ma", "me":
		return wire.Refuse
	}
	return wire.Forward
}

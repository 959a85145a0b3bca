package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
	"github.com/holdfast-sessions/holdfast/store/storetest"
)

// memcachedTick is the granularity of memcached's clock, with room for a busy
// machine.
const memcachedTick = 2 * time.Second

// The contract of store.Store on a real memcached, however it is reached.
func TestMemcachedStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		server := servers.StartMemcached(t)
		return memcachedHarness(t, server.Process, server.Addr, nil)
	})
}

func TestMemcachedStoreStartsCalls(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		server := servers.StartMemcached(t)
		h := memcachedHarness(t, server.Process, server.Addr, nil)
		h.Store = storetest.Started(h.Store)
		return h
	})
}

func TestMemcachedStoreOnUnixSocket(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		path := filepath.Join(shortDir(t), "memcached.sock")
		server := startMemcached(t, "unix", path, "-s", path)
		return memcachedHarness(t, server, path, nil)
	})
}

func TestMemcachedStoreWithPassword(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		server, addr := startMemcachedWithPassword(t)
		return memcachedHarness(t, server, addr, &memcachedstore.Options{User: "bob", Password: "secret"})
	})
}

func TestMemcachedStoreOverTLS(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		server, addr, config := startMemcachedWithTLS(t)
		return memcachedHarness(t, server, addr, &memcachedstore.Options{TLS: config})
	})
}

func memcachedHarness(t *testing.T, server *servers.Process, addr string, opts *memcachedstore.Options) storetest.Harness {
	return storetest.Harness{
		Store:       openMemcached(t, addr, opts),
		Restart:     func(testing.TB) { server.Kill(); server.Start() },
		MaxItem:     1 << 20,
		Granularity: memcachedTick,
	}
}

// openMemcached returns a store that is closed before its server ends.
func openMemcached(t testing.TB, addr string, opts *memcachedstore.Options) *memcachedstore.Store {
	t.Helper()
	s, err := memcachedstore.New(addr, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func startMemcachedWithPassword(t *testing.T) (server *servers.Process, addr string) {
	t.Helper()
	passwords := filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(passwords, []byte("alice:other\nbob:secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	addr, listen := freeAddress(t)
	return startMemcached(t, "tcp", addr, append(listen, "-Y", passwords)...), addr
}

func freeAddress(t *testing.T) (addr string, listen []string) {
	t.Helper()
	port := fmt.Sprint(servers.FreePort(t))
	return "127.0.0.1:" + port, []string{"-l", "127.0.0.1", "-p", port}
}

// startMemcached starts a memcached to which servers.StartMemcached could not
// speak. It waits until the server takes connections.
func startMemcached(t *testing.T, network, addr string, args ...string) *servers.Process {
	t.Helper()
	path, err := exec.LookPath("memcached")
	if err != nil {
		servers.StartMemcached(t) // looks elsewhere, and skips or fails without one
		path = "/usr/sbin/memcached"
	}
	ready := func() error {
		conn, err := net.Dial(network, addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	if os.Geteuid() == 0 {
		args = append(args, "-u", "root")
	}
	server := servers.NewProcess(t, ready, path, append(args, "-U", "0")...)
	server.Start()
	return server
}

// shortDir is for sockets: their paths have at most 107 bytes.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

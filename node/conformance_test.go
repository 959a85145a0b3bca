package node_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/node"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
	"github.com/holdfast-sessions/holdfast/store/storetest"
)

// TestContract runs the suite that the real memcached passes.
func TestContract(t *testing.T) {
	storetest.RunInBubble(t, func(t *testing.T) storetest.Harness {
		n, p := start(t, nil)
		s, err := memcachedstore.New("node:11211", &memcachedstore.Options{
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return p.dial(ctx) },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return storetest.Harness{
			Store: s,
			Restart: func(testing.TB) {
				n.Close()
				n, p = start(t, nil)
			},
			MaxItem:     1 << 20,
			Granularity: time.Second,
		}
	})
}

// TestContractOverTCP is the same in real time over a real network.
func TestContractOverTCP(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for seconds")
	}
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		n, addr := listen(t, "127.0.0.1:0")
		s, err := memcachedstore.New(addr, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return storetest.Harness{
			Store: s,
			Restart: func(t testing.TB) {
				n.Close()
				n, _ = listen(t, addr)
			},
			MaxItem:     1 << 20,
			Granularity: 2 * time.Second,
		}
	})
}

// listen runs a node on a loopback address until the test ends.
func listen(t testing.TB, addr string) (*node.Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	n := node.New(nil)
	served := make(chan error, 1)
	go func() { served <- n.Serve(l) }()
	t.Cleanup(func() {
		n.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return n, l.Addr().String()
}

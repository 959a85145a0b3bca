package memcachedstore

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// These run against the fake of the tests, which costs about as much as the
// client: they are for allocations and for comparing two states of this
// package. The figures against a real memcached are in the module integration.

func BenchmarkGet(b *testing.B) {
	s, ctx := loopback(b)
	for b.Loop() {
		if _, err := s.Get(ctx, "k1", store.Whole); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	s, ctx := loopback(b)
	item := benchmarkItem()
	for b.Loop() {
		if _, err := s.Put(ctx, "k1", item, store.Any); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParallelGet(b *testing.B) {
	s, ctx := loopback(b)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			if _, err := s.Get(ctx, benchmarkKey(n), store.Whole); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkParallelPut(b *testing.B) {
	s, ctx := loopback(b)
	item := benchmarkItem()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			if _, err := s.Put(ctx, benchmarkKey(n), item, store.Any); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func benchmarkItem() store.Item {
	return store.Item{Value: bytes.Repeat([]byte("v"), 1024), Flags: 7, TTL: time.Hour}
}

func benchmarkKey(n int) string {
	return [...]string{"k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"}[n%8]
}

// loopback returns a Store whose fake is behind a TCP connection, with items
// under all keys.
func loopback(b *testing.B) (*Store, context.Context) {
	b.Helper()
	b.ReportAllocs()
	server := newFake(b)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server.wg.Go(func() { server.accept(listener) })
	b.Cleanup(func() { listener.Close() })
	s := newStore(b, listener.Addr().String(), nil)
	for n := range 8 {
		if _, err := s.Put(b.Context(), benchmarkKey(n), benchmarkItem(), store.Any); err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	b.Cleanup(cancel)
	return s, ctx
}

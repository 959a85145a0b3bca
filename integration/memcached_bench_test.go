package integration

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// BenchmarkMemcached measures one store against a real memcached, with values
// of 1 KiB. cpu-ns/op is what this process used, the server not counted: the
// figure to compare, since the machine and the server bound the others.
func BenchmarkMemcached(b *testing.B) {
	server := servers.StartMemcached(b, "-t", "2")
	s := openMemcached(b, server.Addr, nil)
	keys := benchmarkKeys(b, s)
	value := bytes.Repeat([]byte("v"), 1024)
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	for _, goroutines := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("get/%d", goroutines), func(b *testing.B) {
			shareOut(b, goroutines, func(n int) error {
				_, err := s.Get(ctx, keys[n%len(keys)], store.Whole)
				return err
			})
		})
		b.Run(fmt.Sprintf("put/%d", goroutines), func(b *testing.B) {
			shareOut(b, goroutines, func(n int) error {
				item := store.Item{Value: value, Flags: 7, TTL: time.Hour}
				_, err := s.Put(ctx, keys[n%len(keys)], item, store.Any)
				return err
			})
		})
	}
}

func benchmarkKeys(b *testing.B, s *memcachedstore.Store) []string {
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = fmt.Sprintf("%043d", i)
		item := store.Item{Value: bytes.Repeat([]byte("v"), 1024), TTL: time.Hour}
		if _, err := s.Put(b.Context(), keys[i], item, store.Any); err != nil {
			b.Fatal(err)
		}
	}
	return keys
}

// shareOut runs op b.N times, in so many goroutines.
func shareOut(b *testing.B, goroutines int, op func(n int) error) {
	b.ReportAllocs()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	before := processCPU(b)
	for range goroutines {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := op(int(n)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(processCPU(b)-before)/float64(b.N), "cpu-ns/op")
}

// processCPU is the processor time that this process has used.
func processCPU(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

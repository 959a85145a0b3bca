package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// boundedBy is what a call may take beyond its context on a very busy machine.
const boundedBy = 10 * time.Second

func TestMemcachedPassword(t *testing.T) {
	_, locked := startMemcachedWithPassword(t)
	open := servers.StartMemcached(t)
	bob := memcachedstore.Options{User: "bob", Password: "secret"}
	for name, tc := range map[string]struct {
		addr string
		opts memcachedstore.Options
		want string
	}{
		"wrong":      {locked, memcachedstore.Options{User: "bob", Password: "hunter2"}, "refuses Options.User and Password"},
		"of another": {locked, memcachedstore.Options{User: "alice", Password: "secret"}, "refuses Options.User and Password"},
		"missing":    {locked, memcachedstore.Options{}, "set Options.User and Options.Password"},
		"not wanted": {open.Addr, bob, "asks for no password"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openMemcached(t, tc.addr, &tc.opts).Put(t.Context(), "k", store.Item{}, store.Any)
			wantErr(t, err, store.ErrUnavailable)
			if text := fmt.Sprint(err); !strings.Contains(text, tc.want) || strings.Contains(text, "secret") || strings.Contains(text, "hunter2") {
				t.Errorf("got %v, want %q and no password", err, tc.want)
			}
		})
	}
	// A server that asks for no password must not get to store it.
	if _, err := openMemcached(t, open.Addr, nil).Get(t.Context(), "auth", store.Whole); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("get auth: %v, want %v", err, store.ErrNotFound)
	}
}

func TestMemcachedFrozen(t *testing.T) {
	server := servers.StartMemcached(t)
	s := openMemcached(t, server.Addr, nil)
	v, err := s.Put(t.Context(), "k", store.Item{Value: []byte("before")}, store.Absent)
	if err != nil {
		t.Fatal(err)
	}
	server.Freeze()
	within(t, 200*time.Millisecond, func(ctx context.Context) {
		_, err := s.Put(ctx, "k", store.Item{Value: []byte("while")}, v)
		wantErr(t, err, store.ErrUnknownOutcome, context.DeadlineExceeded)
	})
	within(t, 200*time.Millisecond, func(ctx context.Context) {
		_, err := s.Get(ctx, "k", store.Whole)
		wantErr(t, err, store.ErrUnavailable, context.DeadlineExceeded)
	})
	// Without a deadline the silence is noticed, and later calls fail too.
	for range 3 {
		_, err := s.Get(context.Background(), "k", store.Whole)
		wantErr(t, err, store.ErrUnavailable)
	}
	server.Thaw()
	item := getUntilItWorks(t, s, "k")
	if got := string(item.Value); got != "before" && got != "while" {
		t.Errorf("after the thaw: %q", got)
	}
	if item.Version.Generation == v.Generation {
		t.Error("the silent connection is still in use")
	}
	_, err = s.Put(t.Context(), "k", store.Item{}, v)
	wantErr(t, err, store.ErrConflict)
}

func TestMemcachedAway(t *testing.T) {
	server := servers.StartMemcached(t)
	s := openMemcached(t, server.Addr, nil)
	if _, err := s.Put(t.Context(), "k", store.Item{}, store.Any); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	within(t, boundedBy, func(ctx context.Context) {
		for range 100 {
			_, err := s.Get(ctx, "k", store.Whole)
			wantErr(t, err, store.ErrUnavailable)
			if errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want to know at once", err)
			}
		}
	})
	_, err := s.Put(t.Context(), "k", store.Item{}, store.Any)
	wantErr(t, err, store.ErrUnavailable, syscall.ECONNREFUSED)
	if errors.Is(err, store.ErrUnknownOutcome) {
		t.Errorf("got %v for a put that was not sent", err)
	}
	server.Start()
	for {
		_, err := s.Get(t.Context(), "k", store.Whole)
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		wantErr(t, err, store.ErrUnavailable)
		time.Sleep(20 * time.Millisecond)
	}
}

// Each connection is dialed by name anew, so a name that leads elsewhere now is
// followed.
func TestMemcachedMovesToAnotherAddress(t *testing.T) {
	first, second := servers.StartMemcached(t), servers.StartMemcached(t)
	var addr atomic.Value // where the name leads
	addr.Store(first.Addr)
	s := openMemcached(t, "cache.example.org:11211", &memcachedstore.Options{
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr.Load().(string))
		},
	})
	if _, err := s.Put(t.Context(), "k", store.Item{}, store.Any); err != nil {
		t.Fatal(err)
	}
	addr.Store(second.Addr)
	direct := openMemcached(t, second.Addr, nil)
	if _, err := direct.Put(t.Context(), "k", store.Item{Value: []byte("second")}, store.Any); err != nil {
		t.Fatal(err)
	}
	first.Kill()
	if item := getUntilItWorks(t, s, "k"); string(item.Value) != "second" {
		t.Errorf("got %q", item.Value)
	}
}

func TestMemcachedSmallItems(t *testing.T) {
	const limit = 32 << 10
	server := servers.StartMemcached(t, "-I", "32k", "-o", "slab_chunk_max=8192")
	s := openMemcached(t, server.Addr, nil)
	v, err := s.Put(t.Context(), "k", store.Item{Value: []byte("small")}, store.Any)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{limit - 1<<10, limit - 100, limit, 10 * limit} {
		_, err = s.Put(t.Context(), "k", store.Item{Value: make([]byte, size)}, v)
		wantErr(t, err, store.ErrTooLarge)
		if e, ok := errors.AsType[*store.SizeError](err); !ok || e.Limit != limit-1<<10 || e.Size <= size {
			t.Errorf("%d bytes: %v, want a *store.SizeError with the figures", size, err)
		}
	}
	if item, err := s.Get(t.Context(), "k", store.Whole); err != nil || string(item.Value) != "small" || item.Version != v {
		t.Errorf("after puts that were refused: %+v, %v", item, err)
	}
	// What is let pass, the server takes.
	for size := limit - 1<<10 - 400; size <= limit-1<<10-70; size += 10 {
		if _, err := s.Put(t.Context(), "k", store.Item{Value: make([]byte, size)}, store.Any); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestMemcachedFull(t *testing.T) {
	server := servers.StartMemcached(t, "-M", "-m", "2")
	s := openMemcached(t, server.Addr, nil)
	var err error
	stored := 0
	for ; err == nil && stored < 1000; stored++ {
		_, err = s.Put(t.Context(), fmt.Sprint("k", stored), store.Item{Value: make([]byte, 100_000)}, store.Any)
	}
	wantErr(t, err, store.ErrFull)
	if errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v matches ErrUnavailable", err)
	}
	// The connection is in step and in use.
	for n := range stored - 1 {
		item, err := s.Get(t.Context(), fmt.Sprint("k", n), store.Whole)
		if err != nil || len(item.Value) != 100_000 || item.Version.Generation != 1 {
			t.Errorf("k%d: %d bytes, version %v, %v", n, len(item.Value), item.Version, err)
		}
	}
}

func TestMemcachedWithoutTokens(t *testing.T) {
	server := servers.StartMemcached(t, "-C")
	_, err := openMemcached(t, server.Addr, nil).Get(t.Context(), "k", store.Whole)
	wantErr(t, err, store.ErrUnavailable)
	if !strings.Contains(fmt.Sprint(err), "without -C") {
		t.Errorf("got %v", err)
	}
}

// Many goroutines while the server is killed and started again: each value
// belongs to its key, and an item is what was put.
func TestMemcachedRestartsUnderLoad(t *testing.T) {
	const goroutines, restarts = 32, 4
	server := servers.StartMemcached(t)
	s := openMemcached(t, server.Addr, nil)
	var stop atomic.Bool
	var good, bad atomic.Int64
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() {
			for n := 0; !stop.Load(); n++ {
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(3*time.Millisecond)+200*time.Microsecond)
				if err := putAndGet(t, ctx, s, fmt.Sprint("key-", i), n); err == nil {
					good.Add(1)
				} else {
					wantErr(t, err, store.ErrUnavailable)
					bad.Add(1)
					time.Sleep(time.Millisecond) // not before the next call
				}
				cancel()
			}
		})
	}
	for range restarts {
		target := good.Load() + 500
		for end := time.Now().Add(boundedBy); good.Load() < target && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		if good.Load() < target {
			t.Errorf("%d good rounds, want %d: the store does not recover", good.Load(), target)
		}
		server.Restart()
	}
	stop.Store(true)
	wg.Wait()
	t.Logf("%d rounds done, %d not", good.Load(), bad.Load())
}

// putAndGet writes key and reads it again. The item may have been lost since.
func putAndGet(t *testing.T, ctx context.Context, s *memcachedstore.Store, key string, n int) error {
	value := fmt.Sprintf("%s=%d%s", key, n, strings.Repeat(".", rand.N(2000)))
	v, err := s.Put(ctx, key, store.Item{Value: []byte(value), Flags: uint32(n)}, store.Any)
	if err != nil {
		return err
	}
	item, err := s.Get(ctx, key, store.Whole)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return err
	case !strings.HasPrefix(string(item.Value), key+"="):
		t.Errorf("get %s: %.40q, the value of another key", key, item.Value)
	case item.Version == v && (string(item.Value) != value || item.Flags != uint32(n)):
		t.Errorf("get %s: %.40q with flags %d, want %.40q with %d", key, item.Value, item.Flags, value, n)
	}
	return nil
}

// within runs call with a context of that length, and fails the test if it goes
// on long after it.
func within(t *testing.T, d time.Duration, call func(ctx context.Context)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	began := time.Now()
	call(ctx)
	if took := time.Since(began); took > d+boundedBy {
		t.Errorf("took %v with a context of %v", took, d)
	}
}

func getUntilItWorks(t *testing.T, s *memcachedstore.Store, key string) store.Item {
	t.Helper()
	for end := time.Now().Add(boundedBy); ; {
		item, err := s.Get(t.Context(), key, store.Whole)
		if err == nil {
			return item
		}
		if time.Now().After(end) {
			t.Fatalf("no recovery: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func wantErr(t *testing.T, err error, want ...error) {
	t.Helper()
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("got %v, want an error that matches %q", err, w)
		}
	}
}

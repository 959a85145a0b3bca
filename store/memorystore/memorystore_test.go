package memorystore_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
	"github.com/holdfast-sessions/holdfast/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.RunInBubble(t, func(*testing.T) storetest.Harness {
		const maxItem = 1 << 20
		s := memorystore.New(&memorystore.Options{MaxItem: maxItem})
		return storetest.Harness{
			Store:   s,
			Restart: func(testing.TB) { s.Clear() },
			MaxItem: maxItem,
		}
	})
}

func TestExpiredItemsDoNotGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memorystore.New(nil)
		most := 0
		for i := range 100_000 {
			put(t, s, fmt.Sprint("visitor", i), 10*time.Second)
			time.Sleep(time.Millisecond)
			if i%100 == 0 {
				most = max(most, s.Len())
			}
		}
		// 10,000 are alive at any time. A shard removes its dead when it is
		// written, so a few are always left in each.
		if most > 10_500 {
			t.Errorf("%d items held at most, 10,000 of them alive", most)
		}
	})
}

func TestTouchedItemsDoNotGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memorystore.New(nil)
		const n = 1000
		for i := range n {
			put(t, s, fmt.Sprint("early", i), 30*time.Minute)
			put(t, s, fmt.Sprint("k", i), time.Duration(i%2)*time.Hour)
			if _, err := s.Touch(t.Context(), fmt.Sprint("k", i), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		for i := range 2 * n {
			put(t, s, fmt.Sprint("other", i), store.Forever)
		}
		if got := s.Len() - 3*n; got != 0 {
			t.Errorf("%d expired items are left after %d writes", got, 2*n)
		}
	})
}

func TestNoLimitByDefault(t *testing.T) {
	s := memorystore.New(nil)
	if _, err := s.Put(t.Context(), "k", store.Item{Value: make([]byte, 8<<20)}, store.Any); err != nil {
		t.Error(err)
	}
}

func put(t *testing.T, s *memorystore.Store, key string, ttl time.Duration) {
	t.Helper()
	if _, err := s.Put(t.Context(), key, store.Item{Value: []byte("value"), TTL: ttl}, store.Any); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkGetAndPut(b *testing.B) {
	s := memorystore.New(nil)
	ctx := context.Background()
	item := store.Item{Value: make([]byte, 512), TTL: time.Hour}
	v, err := s.Put(ctx, "k", item, store.Any)
	for b.Loop() && err == nil {
		if item, err = s.Get(ctx, "k", store.Whole); err == nil {
			v, err = s.Put(ctx, "k", item, v)
		}
	}
	if err != nil {
		b.Error(err)
	}
	b.ReportAllocs()
}

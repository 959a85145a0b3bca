package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

func parallelDefects() []defect {
	return []defect{
		{"looks first and writes then", []string{"increments", "one-creates", "one-deletes"}, bend(func(b *bent) {
			b.put = func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
				old, err := b.Store.Get(ctx, key, store.Head)
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					return store.Version{}, err
				}
				if at != store.Any && at != old.Version {
					return store.Version{}, store.ErrConflict
				}
				time.Sleep(time.Millisecond)
				return b.Store.Put(ctx, key, item, store.Any)
			}
		})},
		{"reads the value after the rest", []string{"one-state"}, bend(func(b *bent) {
			b.get = func(ctx context.Context, key string, part store.Part) (store.Item, error) {
				item, err := b.Store.Get(ctx, key, store.Head)
				if err != nil || part == store.Head {
					return item, err
				}
				time.Sleep(time.Millisecond)
				later, err := b.Store.Get(ctx, key, store.Whole)
				item.Value = later.Value
				return item, err
			}
		})},
	}
}

func sizeDefects() []defect {
	limited := func(limit int, refuse func(b *bent, key string, size int) error) func(*Harness, *memorystore.Store) {
		return bend(func(b *bent) {
			b.put = func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
				if size := len(item.Value); size > limit {
					return store.Version{}, refuse(b, key, size)
				}
				return b.Store.Put(ctx, key, item, at)
			}
		})
	}
	return []defect{
		{
			"takes half of what its server takes",
			[]string{"largest-item"},
			limited(maxItem/2, func(_ *bent, _ string, size int) error { return &store.SizeError{Size: size, Limit: maxItem / 2} }),
		},
		{
			"does not tell the figures",
			[]string{"too-large"},
			limited(maxItem-itemOverhead, func(*bent, string, int) error { return store.ErrTooLarge }),
		},
		{
			"drops the item when the new one is too large",
			[]string{"too-large"},
			limited(maxItem-itemOverhead, func(b *bent, key string, size int) error {
				_ = b.Store.Delete(context.Background(), key, store.Any)
				return &store.SizeError{Size: size, Limit: maxItem}
			}),
		},
		{"asks the version before the size", []string{"too-large"}, bend(func(b *bent) {
			b.put = func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
				if old, err := b.Store.Get(ctx, key, store.Head); err == nil && at != store.Any && at != old.Version {
					return store.Version{}, store.ErrConflict
				}
				return b.Store.Put(ctx, key, item, at)
			}
		})},
	}
}

func failureDefects() []defect {
	return []defect{
		{"ignores its context", []string{"cancelled-context", "passed-deadline"}, bend(onContext(func(ctx context.Context) (context.Context, error) {
			return context.WithoutCancel(ctx), nil
		}))},
		{
			"returns the error of the context alone",
			[]string{"cancelled-context", "passed-deadline", "cancelled-halfway"},
			bend(onContext(func(ctx context.Context) (context.Context, error) { return ctx, ctx.Err() })),
		},
		{
			"mistakes a cancelled call for an absent item",
			[]string{"cancelled-context", "cancelled-halfway"},
			bend(onContext(func(ctx context.Context) (context.Context, error) {
				if ctx.Err() != nil {
					return ctx, store.ErrNotFound
				}
				return ctx, nil
			})),
		},
		{"writes although its context has ended", []string{"cancelled-context"}, bend(func(b *bent) {
			b.put = func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
				v, err := b.Store.Put(context.WithoutCancel(ctx), key, item, at)
				if ctx.Err() != nil {
					return store.Version{}, store.ErrUnavailable
				}
				return v, err
			}
		})},
		{"works on after Close", []string{"closed"}, bend(func(b *bent) { b.close = func() error { return nil } })},
		{"cannot be closed twice", []string{"closed"}, bend(func(b *bent) {
			closed := false
			b.close = func() error {
				if closed {
					return errors.New("already closed")
				}
				closed = true
				return b.Store.Close()
			}
		})},
	}
}

func restartDefects() []defect {
	return []defect{
		{"keeps its items over a restart that should lose them", []string{"restart-recovers"}, func(h *Harness, _ *memorystore.Store) {
			h.Restart = func(testing.TB) {}
		}},
		{"never works again after a restart", []string{"restart-recovers"}, func(h *Harness, s *memorystore.Store) {
			h.Restart = func(testing.TB) { s.Close() }
		}},
		{"forgets the generation", []string{"restart-ends-versions", "restart-ends-other-versions"}, func(h *Harness, s *memorystore.Store) {
			// What is asked now is compared by its number alone.
			generation := uint64(1)
			h.Restart = func(testing.TB) { s.Clear(); generation++ }
			b := &bent{Store: s}
			renew := func(at *store.Version) {
				if isVersion(*at) {
					at.Generation = generation
				}
			}
			onPut(func(_ *bent, _ string, _ *store.Item, at *store.Version) { renew(at) })(b)
			onDelete(renew)(b)
			h.Store = b
		}},
	}
}

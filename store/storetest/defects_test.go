package storetest

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// A defect is a way in which a store can be wrong, and the rows that must find
// it.
type defect struct {
	name  string // "a store that …"
	rows  []string
	plant func(h *Harness, s *memorystore.Store)
}

func defects() []defect {
	var all []defect
	for _, topic := range [][]defect{
		readDefects(), writeDefects(), versionDefects(), touchDefects(), deleteDefects(), contentDefects(),
		keyDefects(), lifeDefects(), parallelDefects(), sizeDefects(), failureDefects(), restartDefects(),
	} {
		all = append(all, topic...)
	}
	return all
}

// bend plants a defect in the store alone.
func bend(change func(b *bent)) func(*Harness, *memorystore.Store) {
	return func(h *Harness, s *memorystore.Store) {
		b := &bent{Store: s}
		change(b)
		h.Store = b
	}
}

func isVersion(v store.Version) bool { return v != store.Any && v != store.Absent }

func readDefects() []defect {
	return []defect{
		{"calls an absent item empty", []string{"get-absent", "item-expires", "touch-absent"}, bend(func(b *bent) {
			b.get = func(ctx context.Context, key string, part store.Part) (store.Item, error) {
				item, err := b.Store.Get(ctx, key, part)
				if errors.Is(err, store.ErrNotFound) {
					return store.Item{}, nil
				}
				return item, err
			}
		})},
		{
			"does not tell the time left",
			[]string{"get-returns-what-was-put", "head-leaves-the-value-out", "touch-sets-the-ttl"},
			bend(onItem(func(_ string, _ store.Part, item *store.Item) { item.TTL = 0 })),
		},
		{
			"returns the value with Head",
			[]string{"head-leaves-the-value-out"},
			bend(onItem(func(_ string, part store.Part, item *store.Item) {
				if part == store.Head {
					item.Value = []byte("value")
				}
			})),
		},
		{"prolongs what is read", []string{"get-changes-nothing", "reading-does-not-prolong"}, bend(func(b *bent) {
			b.get = func(ctx context.Context, key string, part store.Part) (store.Item, error) {
				item, err := b.Store.Get(ctx, key, part)
				if err == nil && part == store.Whole {
					_, err = b.Store.Touch(ctx, key, 2*time.Hour)
				}
				return item, err
			}
		})},
	}
}

func writeDefects() []defect {
	exists := func(b *bent, key string) bool {
		_, err := b.Store.Get(context.Background(), key, store.Head)
		return err == nil
	}
	return []defect{
		{"refuses to create at Absent", []string{"put-absent-creates"}, bend(onPut(func(_ *bent, _ string, _ *store.Item, at *store.Version) {
			if *at == store.Absent {
				*at = store.Version{Generation: 1, Token: 1}
			}
		}))},
		{
			"takes Absent for Any",
			[]string{"put-absent-never-overwrites", "one-creates", "empty-value", "conflict-changes-nothing"},
			bend(onPut(func(_ *bent, _ string, _ *store.Item, at *store.Version) {
				if *at == store.Absent {
					*at = store.Any
				}
			})),
		},
		{"only replaces at Any", []string{"put-any-creates"}, bend(onPut(func(b *bent, key string, _ *store.Item, at *store.Version) {
			if *at == store.Any && !exists(b, key) {
				*at = store.Version{Generation: 1, Token: 1}
			}
		}))},
		{"only creates at Any", []string{"put-any-overwrites"}, bend(onPut(func(_ *bent, _ string, _ *store.Item, at *store.Version) {
			if *at == store.Any {
				*at = store.Absent
			}
		}))},
		{"finds every version wrong", []string{"put-at-its-version", "get-changes-nothing"}, bend(onPut(func(_ *bent, _ string, _ *store.Item, at *store.Version) {
			if isVersion(*at) {
				at.Token += 1000
			}
		}))},
		{
			"keeps flags and time left over a Put",
			[]string{"put-replaces-flags-and-ttl", "put-sets-the-end"},
			bend(onPut(func(b *bent, key string, item *store.Item, _ *store.Version) {
				if old, err := b.Store.Get(context.Background(), key, store.Head); err == nil {
					item.Flags, item.TTL = old.Flags, old.TTL
				}
			})),
		},
		{
			"ignores the version",
			[]string{"put-at-another-version", "put-at-a-version-of-nothing", "increments", "item-expires", "restart-ends-versions"},
			bend(onPut(func(_ *bent, _ string, _ *store.Item, at *store.Version) {
				if isVersion(*at) {
					*at = store.Any
				}
			})),
		},
		{"drops the item at a conflict", []string{"conflict-changes-nothing", "put-at-another-version"}, bend(func(b *bent) {
			b.put = func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
				v, err := b.Store.Put(ctx, key, item, at)
				if err != nil {
					_ = b.Store.Delete(ctx, key, store.Any)
				}
				return v, err
			}
		})},
		{"prolongs the item at a conflict", []string{"conflict-changes-nothing"}, bend(func(b *bent) {
			b.put = func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
				v, err := b.Store.Put(ctx, key, item, at)
				if err != nil {
					_, _ = b.Store.Touch(ctx, key, item.TTL)
				}
				return v, err
			}
		})},
		{
			"believes the version in the item",
			[]string{"put-ignores-the-version-in-the-item"},
			bend(onPut(func(_ *bent, _ string, item *store.Item, at *store.Version) {
				if item.Version != (store.Version{}) {
					*at = item.Version
				}
			})),
		},
	}
}

func versionDefects() []defect {
	return []defect{
		{"takes the value for the version", []string{"version-changes-with-every-put"}, bend(func(b *bent) {
			b.put = func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
				if old, err := b.Store.Get(ctx, key, store.Whole); err == nil && bytes.Equal(old.Value, item.Value) {
					return old.Version, nil
				}
				return b.Store.Put(ctx, key, item, at)
			}
		})},
		{
			"names another version in Get",
			[]string{"version-is-the-same-everywhere", "get-returns-what-was-put"},
			bend(onItem(func(_ string, _ store.Part, item *store.Item) { item.Version.Token += 1000 })),
		},
		{"names another version in Touch", []string{"version-is-the-same-everywhere"}, bend(func(b *bent) {
			b.touch = func(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
				v, err := b.Store.Touch(ctx, key, ttl)
				v.Token += 1000
				return v, err
			}
		})},
		{
			"leaves the generation out",
			[]string{"version-has-a-generation"},
			bend(onItem(func(_ string, _ store.Part, item *store.Item) { item.Version.Generation = 0 })),
		},
		{"counts the versions of each item from one again", []string{"version-is-not-inherited"}, bend(func(b *bent) {
			// A version given before the last Delete matches what came after it.
			born := map[string]uint64{}
			reborn := func(key string, at store.Version) store.Version {
				if isVersion(at) && at.Token < born[key] {
					return store.Any
				}
				return at
			}
			b.del = func(ctx context.Context, key string, at store.Version) error {
				born[key] = at.Token + 1
				return b.Store.Delete(ctx, key, reborn(key, at))
			}
			b.put = func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
				return b.Store.Put(ctx, key, item, reborn(key, at))
			}
		})},
	}
}

func touchDefects() []defect {
	return []defect{
		{"touches without effect", []string{"touch-sets-the-ttl", "touch-sets-the-end", "shortest-ttl"}, bend(func(b *bent) {
			b.touch = func(ctx context.Context, key string, _ time.Duration) (store.Version, error) {
				item, err := b.Store.Get(ctx, key, store.Head)
				return item.Version, err
			}
		})},
		{"touches by writing again", []string{"touch-keeps-the-item", "version-is-the-same-everywhere"}, bend(func(b *bent) {
			b.touch = func(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
				item, err := b.Store.Get(ctx, key, store.Whole)
				if err != nil {
					return store.Version{}, err
				}
				item.TTL = ttl
				return b.Store.Put(ctx, key, item, item.Version)
			}
		})},
		{"makes what it touches", []string{"touch-absent"}, bend(func(b *bent) {
			b.touch = func(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
				_, _ = b.Store.Put(ctx, key, store.Item{}, store.Absent)
				return b.Store.Touch(ctx, key, ttl)
			}
		})},
	}
}

func deleteDefects() []defect {
	return []defect{
		{"deletes at Any nothing", []string{"delete-any"}, bend(func(b *bent) {
			b.del = func(ctx context.Context, key string, at store.Version) error {
				if at == store.Any {
					return nil
				}
				return b.Store.Delete(ctx, key, at)
			}
		})},
		{"finds every version wrong at Delete", []string{"delete-at-its-version"}, bend(onDelete(func(at *store.Version) {
			if isVersion(*at) {
				at.Token += 1000
			}
		}))},
		{
			"deletes at any version",
			[]string{"delete-at-another-version", "delete-at-absent", "one-deletes", "conflict-changes-nothing"},
			bend(onDelete(func(at *store.Version) { *at = store.Any })),
		},
		{"misses what it deletes", []string{"delete-absent", "item-expires"}, bend(func(b *bent) {
			b.del = func(ctx context.Context, key string, at store.Version) error {
				if _, err := b.Store.Get(ctx, key, store.Head); err != nil {
					return err
				}
				return b.Store.Delete(ctx, key, at)
			}
		})},
		{"deletes everything", []string{"delete-at-its-version", "keys-are-distinct"}, bend(func(b *bent) {
			b.del = func(context.Context, string, store.Version) error { b.Clear(); return nil }
		})},
	}
}

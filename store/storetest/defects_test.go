package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
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

func contentDefects() []defect {
	return []defect{
		{
			"keeps 31 bits of the flags",
			[]string{"flags-survive"},
			bend(onPut(func(_ *bent, _ string, item *store.Item, _ *store.Version) { item.Flags &^= 1 << 31 })),
		},
		{
			"loses the flags",
			[]string{"flags-survive", "get-returns-what-was-put", "head-leaves-the-value-out"},
			bend(onItem(func(_ string, _ store.Part, item *store.Item) { item.Flags = 0 })),
		},
		{"calls an empty item absent", []string{"empty-value"}, bend(func(b *bent) {
			b.get = func(ctx context.Context, key string, part store.Part) (store.Item, error) {
				item, err := b.Store.Get(ctx, key, store.Whole)
				if err == nil && len(item.Value) == 0 {
					return store.Item{}, store.ErrNotFound
				}
				return item, err
			}
		})},
		{"ends a value at its first line end", []string{"binary-value"}, bend(onPut(func(_ *bent, _ string, item *store.Item, _ *store.Version) {
			item.Value, _, _ = bytes.Cut(item.Value, []byte("\r\n"))
		}))},
		{"keeps 64 KiB of a value", []string{"sizes", "largest-item"}, bend(onPut(func(_ *bent, _ string, item *store.Item, _ *store.Version) {
			item.Value = item.Value[:min(len(item.Value), 1<<16)]
		}))},
		{"hands out its own memory", []string{"value-of-get-belongs-to-the-caller"}, bend(func(b *bent) {
			values := map[store.Version][]byte{}
			onItem(func(_ string, _ store.Part, item *store.Item) {
				if shared, ok := values[item.Version]; ok {
					item.Value = shared
				}
				values[item.Version] = item.Value
			})(b)
		})},
		{"keeps the memory of its caller", []string{"value-of-put-may-change-afterwards"}, bend(func(b *bent) {
			values := map[string][]byte{}
			onPut(func(_ *bent, key string, item *store.Item, _ *store.Version) { values[key] = item.Value })(b)
			onItem(func(key string, _ store.Part, item *store.Item) { item.Value = bytes.Clone(values[key]) })(b)
		})},
	}
}

func keyDefects() []defect {
	refuse := errors.New("refused")
	return []defect{
		{"takes keys of 200 bytes", []string{"key-lengths"}, bend(onKey(func(key string) (string, error) {
			if len(key) > 200 {
				return "", refuse
			}
			return key, nil
		}))},
		{"refuses quotes in keys", []string{"key-characters"}, bend(onKey(func(key string) (string, error) {
			if strings.ContainsAny(key, `"'`) {
				return "", refuse
			}
			return key, nil
		}))},
		{
			"ignores the case of keys",
			[]string{"keys-are-distinct"},
			bend(onKey(func(key string) (string, error) { return strings.ToLower(key), nil })),
		},
		{
			"takes any key",
			[]string{"bad-keys"},
			bend(onKey(func(key string) (string, error) { return fmt.Sprintf("%x", key[:min(len(key), 99)]) + ".", nil })),
		},
		{
			"drops spaces and line ends from keys",
			[]string{"bad-keys"},
			bend(onKey(func(key string) (string, error) { return strings.Join(strings.Fields(key), ""), nil })),
		},
		{"blames the server for a bad key", []string{"bad-keys"}, bend(onKey(func(key string) (string, error) {
			if strings.ContainsAny(key, " \r\n") {
				return "", store.ErrUnavailable
			}
			return key, nil
		}))},
		{"finds nothing under a bad key", []string{"bad-keys"}, bend(onKey(func(key string) (string, error) {
			if len(key) > 250 {
				return "", store.ErrNotFound
			}
			return key, nil
		}))},
	}
}

func lifeDefects() []defect {
	const hundredYears = 100 * 365 * day
	return []defect{
		{"ends what should never end", []string{"forever", "negative-ttl", "touch-sets-the-ttl"}, bend(onTTL(func(ttl time.Duration) time.Duration {
			if ttl <= 0 {
				return day
			}
			return ttl
		}))},
		{"ends at once what has a negative TTL", []string{"negative-ttl"}, bend(onTTL(func(ttl time.Duration) time.Duration {
			if ttl < 0 {
				return 1
			}
			return ttl
		}))},
		{"ends at once what has a TTL above 30 days", []string{"long-ttl"}, bend(func(b *bent) {
			b.touch = func(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
				v, err := b.Store.Touch(ctx, key, ttl)
				if ttl > 30*day {
					_ = b.Store.Delete(ctx, key, store.Any)
				}
				return v, err
			}
		})},
		{
			"holds TTLs of 30 days at most",
			[]string{"long-ttl"},
			bend(onTTL(func(ttl time.Duration) time.Duration { return min(ttl, 30*day) })),
		},
		{"tells the TTL in place of the time left", []string{"ttl-counts-down"}, bend(func(b *bent) {
			ttls := map[string]time.Duration{}
			onPut(func(_ *bent, key string, item *store.Item, _ *store.Version) { ttls[key] = item.TTL })(b)
			onItem(func(key string, _ store.Part, item *store.Item) { item.TTL = ttls[key] })(b)
		})},
		{
			"lets items live half their time",
			[]string{"item-lives-out-its-ttl", "get-returns-what-was-put"},
			bend(onTTL(func(ttl time.Duration) time.Duration { return ttl / 2 })),
		},
		{
			"lets items live twice their time",
			[]string{"item-expires", "shortest-ttl", "touch-sets-the-end"},
			bend(onTTL(func(ttl time.Duration) time.Duration { return min(ttl, hundredYears)*2 + 2*time.Second })),
		},
		{
			"rounds a TTL down to whole seconds",
			[]string{"shortest-ttl"},
			bend(onTTL(func(ttl time.Duration) time.Duration { return ttl.Truncate(time.Second) })),
		},
		{"keeps the end of the item that it overwrites", []string{"put-sets-the-end"}, bend(onPut(func(b *bent, key string, item *store.Item, _ *store.Version) {
			if old, err := b.Store.Get(context.Background(), key, store.Head); err == nil {
				item.TTL = old.TTL
			}
		}))},
	}
}

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

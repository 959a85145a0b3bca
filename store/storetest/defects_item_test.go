package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

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

package storetest

import (
	"context"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// bent is a sound store of which single methods are replaced.
type bent struct {
	*memorystore.Store
	get   func(ctx context.Context, key string, part store.Part) (store.Item, error)
	put   func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error)
	touch func(ctx context.Context, key string, ttl time.Duration) (store.Version, error)
	del   func(ctx context.Context, key string, at store.Version) error
	close func() error
}

func (b *bent) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	if b.get != nil {
		return b.get(ctx, key, part)
	}
	return b.Store.Get(ctx, key, part)
}

func (b *bent) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	if b.put != nil {
		return b.put(ctx, key, item, at)
	}
	return b.Store.Put(ctx, key, item, at)
}

func (b *bent) Touch(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
	if b.touch != nil {
		return b.touch(ctx, key, ttl)
	}
	return b.Store.Touch(ctx, key, ttl)
}

func (b *bent) Delete(ctx context.Context, key string, at store.Version) error {
	if b.del != nil {
		return b.del(ctx, key, at)
	}
	return b.Store.Delete(ctx, key, at)
}

func (b *bent) Close() error {
	if b.close != nil {
		return b.close()
	}
	return b.Store.Close()
}

// onItem bends what Get returns of an item that is there.
func onItem(change func(key string, part store.Part, item *store.Item)) func(*bent) {
	return func(b *bent) {
		b.get = func(ctx context.Context, key string, part store.Part) (store.Item, error) {
			item, err := b.Store.Get(ctx, key, part)
			if err == nil {
				change(key, part, &item)
			}
			return item, err
		}
	}
}

// onPut bends what a Put writes and at which version.
func onPut(change func(b *bent, key string, item *store.Item, at *store.Version)) func(*bent) {
	return func(b *bent) {
		b.put = func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
			change(b, key, &item, &at)
			return b.Store.Put(ctx, key, item, at)
		}
	}
}

// onTTL bends the TTL that Put and Touch set.
func onTTL(change func(ttl time.Duration) time.Duration) func(*bent) {
	return func(b *bent) {
		onPut(func(_ *bent, _ string, item *store.Item, _ *store.Version) { item.TTL = change(item.TTL) })(b)
		b.touch = func(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
			return b.Store.Touch(ctx, key, change(ttl))
		}
	}
}

// onDelete bends the version at which an item is deleted.
func onDelete(change func(at *store.Version)) func(*bent) {
	return func(b *bent) {
		b.del = func(ctx context.Context, key string, at store.Version) error {
			change(&at)
			return b.Store.Delete(ctx, key, at)
		}
	}
}

// onKey bends the key of every call.
func onKey(change func(key string) (string, error)) func(*bent) {
	return func(b *bent) {
		b.get = func(ctx context.Context, key string, part store.Part) (store.Item, error) {
			key, err := change(key)
			if err != nil {
				return store.Item{}, err
			}
			return b.Store.Get(ctx, key, part)
		}
		b.put = func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
			key, err := change(key)
			if err != nil {
				return store.Version{}, err
			}
			return b.Store.Put(ctx, key, item, at)
		}
		b.touch = func(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
			key, err := change(key)
			if err != nil {
				return store.Version{}, err
			}
			return b.Store.Touch(ctx, key, ttl)
		}
		b.del = func(ctx context.Context, key string, at store.Version) error {
			key, err := change(key)
			if err != nil {
				return err
			}
			return b.Store.Delete(ctx, key, at)
		}
	}
}

// onContext bends the context of every call; an error ends the call.
func onContext(change func(ctx context.Context) (context.Context, error)) func(*bent) {
	return func(b *bent) {
		b.get = func(ctx context.Context, key string, part store.Part) (store.Item, error) {
			ctx, err := change(ctx)
			if err != nil {
				return store.Item{}, err
			}
			return b.Store.Get(ctx, key, part)
		}
		b.put = func(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
			ctx, err := change(ctx)
			if err != nil {
				return store.Version{}, err
			}
			return b.Store.Put(ctx, key, item, at)
		}
	}
}

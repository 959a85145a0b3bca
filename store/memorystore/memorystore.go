// Package memorystore keeps items in the memory of one process. It is the store
// of a manager that was given no nodes, and the reference for tests: time is
// time.Now, so that it runs in the fake time of package synctest.
//
// It has no goroutine. An expired item is never returned; each write removes a
// few of those that nobody asks for again, so that they do not gather.
package memorystore

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// Options are the settings of a [Store]. The zero value is the default.
type Options struct {
	// MaxItem is the largest item that is taken, in bytes of key and value
	// together. Zero: no limit.
	MaxItem int
}

// A Store is a store.Store in memory. Its methods are safe for concurrent use.
type Store struct {
	maxItem int
	start   time.Time // item ends are counted from here, on the monotonic clock
	seed    maphash.Seed
	shards  [shardCount]shard
	closed  atomic.Bool
}

// shardCount is high enough that goroutines on many cores rarely meet.
const shardCount = 64

var _ store.Store = (*Store)(nil)

// New returns an empty store. A nil opts is the default.
func New(opts *Options) *Store {
	if opts == nil {
		opts = &Options{}
	}
	s := &Store{maxItem: opts.MaxItem, start: time.Now(), seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].clear()
	}
	return s
}

// Get reads the item under key.
func (s *Store) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	sh, err := s.admit(ctx, key)
	if err != nil {
		return store.Item{}, err
	}
	item, err := sh.get(key, s.now())
	if err != nil || part == store.Head {
		item.Value = nil
		return item, err
	}
	// A stored value is never written to, so it can be copied without the lock.
	item.Value = bytes.Clone(item.Value)
	return item, nil
}

// Put writes item under key if the version there is at.
func (s *Store) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	sh, err := s.admit(ctx, key)
	if err != nil {
		return store.Version{}, err
	}
	if size := len(key) + len(item.Value); s.maxItem > 0 && size > s.maxItem {
		return store.Version{}, &store.SizeError{Size: size, Limit: s.maxItem}
	}
	item.Value = bytes.Clone(item.Value)
	return sh.put(key, item, at, s.now())
}

// Touch sets the time to live of the item under key.
func (s *Store) Touch(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
	sh, err := s.admit(ctx, key)
	if err != nil {
		return store.Version{}, err
	}
	return sh.touch(key, ttl, s.now())
}

// Delete removes the item under key if its version is at.
func (s *Store) Delete(ctx context.Context, key string, at store.Version) error {
	sh, err := s.admit(ctx, key)
	if err != nil {
		return err
	}
	return sh.delete(key, at, s.now())
}

// Clear loses all items, as a server does that is started again: versions from
// before match nothing any more.
func (s *Store) Clear() {
	for i := range s.shards {
		s.shards[i].clear()
	}
}

// Len returns the number of items, with those that have expired and are not yet
// removed.
func (s *Store) Len() int {
	n := 0
	for i := range s.shards {
		n += s.shards[i].len()
	}
	return n
}

// Close loses all items. Every later call is store.ErrClosed.
func (s *Store) Close() error {
	s.closed.Store(true)
	s.Clear()
	return nil
}

// admit checks what is the same for every call, and returns the shard of key.
func (s *Store) admit(ctx context.Context, key string) (*shard, error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	if err := store.CheckKey(key); err != nil {
		return nil, fmt.Errorf("memorystore: %w", err)
	}
	return &s.shards[maphash.String(s.seed, key)%shardCount], nil
}

// now is the time since the store was made: as a duration it is half the size
// of a time.Time, and there is one in every item.
func (s *Store) now() time.Duration { return time.Since(s.start) }

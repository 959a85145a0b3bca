package memorystore

import (
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// A shard holds the items of some of the keys.
type shard struct {
	mu         sync.Mutex // guards all below
	entries    map[string]*entry
	ending     endings // the entries that end, the next one first
	generation uint64
	token      uint64 // of the last Put
}

// An entry is one stored item.
type entry struct {
	key   string
	value []byte        // never written to
	end   time.Duration // since the start of the store; 0: never
	token uint64
	place int // in endings, when it ends
	flags uint32
}

func (sh *shard) get(key string, now time.Duration) (store.Item, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.liveLocked(key, now)
	if e == nil {
		return store.Item{}, store.ErrNotFound
	}
	return store.Item{Value: e.value, Flags: e.flags, TTL: e.left(now), Version: sh.versionLocked(e)}, nil
}

// put keeps item.Value as it is: the caller has made it its own.
func (sh *shard) put(key string, item store.Item, at store.Version, now time.Duration) (store.Version, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.liveLocked(key, now)
	if at != store.Any && at != sh.versionLocked(e) {
		return store.Version{}, store.ErrConflict
	}
	if e == nil {
		e = &entry{key: key}
		sh.entries[key] = e
	}
	sh.token++
	e.value, e.flags, e.token = item.Value, item.Flags, sh.token
	sh.ending.set(e, endOf(now, item.TTL))
	sh.sweepLocked(now)
	return sh.versionLocked(e), nil
}

func (sh *shard) touch(key string, ttl, now time.Duration) (store.Version, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.liveLocked(key, now)
	if e == nil {
		return store.Version{}, store.ErrNotFound
	}
	sh.ending.set(e, endOf(now, ttl))
	sh.sweepLocked(now)
	return sh.versionLocked(e), nil
}

func (sh *shard) delete(key string, at store.Version, now time.Duration) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.liveLocked(key, now)
	if e == nil {
		return nil
	}
	if at != store.Any && at != sh.versionLocked(e) {
		return store.ErrConflict
	}
	sh.removeLocked(e)
	return nil
}

// clear begins a new generation. It counts tokens from 1 again, so that who
// forgets to compare generations finds out here, and not with a real server.
func (sh *shard) clear() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.entries = map[string]*entry{}
	sh.ending = nil
	sh.generation++
	sh.token = 0
}

func (sh *shard) len() int {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return len(sh.entries)
}

// liveLocked returns the entry under key, or nil if there is none that lives.
func (sh *shard) liveLocked(key string, now time.Duration) *entry {
	e := sh.entries[key]
	if e != nil && e.ended(now) {
		sh.removeLocked(e)
		return nil
	}
	return e
}

// versionLocked returns the version of e; of no entry it is store.Absent.
func (sh *shard) versionLocked(e *entry) store.Version {
	if e == nil {
		return store.Absent
	}
	return store.Version{Generation: sh.generation, Token: e.token}
}

// sweepLocked removes entries that have ended. Each write makes one at most, so
// removing two at a time is enough to stay ahead.
func (sh *shard) sweepLocked(now time.Duration) {
	for range 2 {
		if len(sh.ending) == 0 || !sh.ending[0].ended(now) {
			return
		}
		sh.removeLocked(sh.ending[0])
	}
}

func (sh *shard) removeLocked(e *entry) {
	sh.ending.set(e, never)
	delete(sh.entries, e.key)
}

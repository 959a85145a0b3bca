package faultstore

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// A Snapshot is the memory of a Node at one moment.
type Snapshot struct {
	taken time.Time
	items map[string]store.Item
}

// Snapshot returns what the node holds now, in whatever state it is.
func (n *Node) Snapshot() *Snapshot {
	n.mu.Lock()
	defer n.mu.Unlock()
	return &Snapshot{taken: time.Now(), items: n.itemsLocked()}
}

// Restore starts the node again with the memory of s, as one that was away
// without losing it. What has expired since then is gone.
func (n *Node) Restore(s *Snapshot) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.endLocked(up)
	age := time.Since(s.taken)
	for key, item := range s.items {
		if item.TTL != store.Forever {
			if item.TTL -= age; item.TTL <= 0 {
				continue
			}
		}
		_, _ = n.memory.Put(context.Background(), key, item, store.Any) // it took the item before
	}
}

// Keys returns the keys of all items, sorted.
func (n *Node) Keys() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var keys []string
	for key := range n.itemsLocked() {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Evict loses the item under key, as a node that needs its place.
func (n *Node) Evict(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_ = n.memory.Delete(context.Background(), key, store.Any) // unconditional, in memory
}

func (n *Node) itemsLocked() map[string]store.Item {
	items := make(map[string]store.Item)
	for key := range n.keys {
		if item, err := n.memory.Get(context.Background(), key, store.Whole); err == nil {
			items[key] = item
		}
	}
	return items
}

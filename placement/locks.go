package placement

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// LockStores returns the nodes that can be asked for a lock on key, in an order that
// depends on their names, so that app servers with different lists agree: the one to
// ask is the first that answers. Those that sessions avoid come last.
func (c *Cluster) LockStores(key string) []store.Store {
	r := c.roster.Load()
	var all []lockStore
	for _, n := range r.nodes {
		if n.monitor == nil || n.monitor.Usable() {
			all = append(all, lockStore{n, c.patience})
		}
	}
	avoided := func(s lockStore) int {
		switch {
		case r.draining.has(s.index):
			return 2
		case r.failover.has(s.index):
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(a, b lockStore) int {
		return cmp.Or(avoided(a)-avoided(b), cmp.Compare(a.rank(key), b.rank(key)))
	})
	stores := make([]store.Store, len(all))
	for i, s := range all {
		stores[i] = s
	}
	return stores
}

// A lockStore is a node as locks use it: it tells the monitor what did not answer.
type lockStore struct {
	*node
	patience time.Duration
}

// rank is the node's place in the order for key.
func (s lockStore) rank(key string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s.Name))
	h.Write([]byte{0})
	h.Write([]byte(key))
	return h.Sum64()
}

func (s lockStore) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	began := time.Now()
	item, err := s.Store.Get(ctx, key, part)
	s.note(err, began)
	return item, err
}

func (s lockStore) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	began := time.Now()
	v, err := s.Store.Put(ctx, key, item, at)
	s.note(err, began)
	return v, err
}

func (s lockStore) Touch(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
	began := time.Now()
	v, err := s.Store.Touch(ctx, key, ttl)
	s.note(err, began)
	return v, err
}

func (s lockStore) Delete(ctx context.Context, key string, at store.Version) error {
	began := time.Now()
	err := s.Store.Delete(ctx, key, at)
	s.note(err, began)
	return err
}

// note tells the monitor that a call was not answered.
func (s lockStore) note(err error, began time.Time) {
	switch {
	case s.monitor == nil || !errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.Canceled):
	case !errors.Is(err, context.DeadlineExceeded):
		s.monitor.Refused(err)
	case time.Since(began) >= s.patience*9/10:
		s.monitor.TimedOut(err)
	}
}

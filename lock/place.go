package lock

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// A place is where a lock lies: a key on a node.
type place struct {
	on      store.Store
	key     string
	ttl     time.Duration // of what is written there
	timeout time.Duration // of one call
}

// look reads the queue. That there is none is no error.
func (p place) look(ctx context.Context) (queue, store.Version, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	item, err := p.on.Get(ctx, p.key, store.Whole)
	if errors.Is(err, store.ErrNotFound) {
		return nil, store.Absent, nil
	}
	if err != nil {
		return nil, store.Version{}, err
	}
	q, err := parse(item.Value)
	return q, item.Version, err
}

// write replaces the queue that was read at a version; an empty one is removed.
// Its error is store.ErrConflict when somebody else was faster.
func (p place) write(ctx context.Context, q queue, at store.Version) (store.Version, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	if len(q) == 0 {
		return store.Absent, p.on.Delete(ctx, p.key, at)
	}
	return p.on.Put(ctx, p.key, store.Item{Value: q.value(), TTL: p.ttl}, at)
}

// withdraw takes owner's ticket out of the queue, whatever has become of the others.
// If that fails, others take it out when its beat stands still.
func (p place) withdraw(ctx context.Context, owner uint64) {
	for {
		q, at, err := p.look(ctx)
		if err != nil || q.find(owner) < 0 {
			return
		}
		_, err = p.write(ctx, q.without(func(t ticket) bool { return t.owner == owner }), at)
		if !errors.Is(err, store.ErrConflict) {
			return
		}
	}
}

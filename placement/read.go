package placement

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// maxRenewals bounds how many aliases one read follows: a session is renewed a
// few times within a grace at most, and a circle would be somebody's forgery.
const maxRenewals = 8

// Load is READ, and behind it the extension of the session's life.
func (c *Cluster) Load(ctx context.Context, id, _ string) (*store.View, error) {
	key := storageKey(c.prefix, id)
	if c.missing.has(key) {
		c.counts.unknown.Add(1)
		c.counts.unknownRepeated.Add(1)
		return nil, store.ErrNotFound
	}
	v, err := c.read(ctx, key)
	switch {
	case err == nil && (v.Extended || v.Record.Outdated && v.Record.IdleTimeout == 0):
		c.extend(v)
	case errors.Is(err, store.ErrNotFound):
		c.counts.unknown.Add(1)
		c.missing.add(key)
	case errors.Is(err, store.ErrDestroyed):
		err = &store.GoneError{Reason: record.Logout}
	case errors.Is(err, store.ErrRenewed):
		late, ok := errors.AsType[*renewedError](err)
		err = &store.GoneError{Lately: ok && time.Now().Before(late.until)}
	}
	return v, err
}

// read is READ: the newest state of the session under key, through aliases
// whose grace lasts. Its errors tell ErrDestroyed and ErrRenewed from ErrNotFound.
func (c *Cluster) read(ctx context.Context, key string) (*store.View, error) {
	return c.readWhile(ctx, key, inGrace)
}

// A passage says which aliases are good.
type passage func(alias *record.Record) bool

// inGrace: for requests with the former id.
func inGrace(alias *record.Record) bool { return sameOwner(alias) && time.Now().Before(alias.Until) }

// passageOf: for ch, which is under way. The alias that ch itself has made is
// always good. Where a write of ch may have happened it was let in before, and
// must be able to find out also after the grace.
func passageOf(ch *store.Change) passage {
	return func(alias *record.Record) bool {
		return alias.HasCommit(ch.Commit) || inGrace(alias) || ch.Uncertain && sameOwner(alias)
	}
}

// sameOwner: for who had the session before it was renewed, however long ago.
func sameOwner(alias *record.Record) bool { return !alias.OwnerChanged }

// readWhile is read through aliases that are good.
func (c *Cluster) readWhile(ctx context.Context, key string, good passage) (*store.View, error) {
	for hops := range maxRenewals {
		item, r, err := c.fetch(ctx, key)
		if err != nil {
			return nil, err
		}
		switch r.Kind {
		case record.Tombstone:
			c.counts.tombstones.Add(1)
			return nil, c.ended(r)
		case record.Alias:
			if !good(r) {
				return nil, &renewedError{r.Until}
			}
			c.counts.aliases.Add(1)
			key = r.Target
		default:
			return c.view(ctx, key, item, r, hops > 0)
		}
	}
	return nil, fmt.Errorf("%w: renewed more than %d times at once", store.ErrRenewed, maxRenewals)
}

// A renewedError is the ErrRenewed that knows when the grace ends.
type renewedError struct{ until time.Time }

func (*renewedError) Error() string { return store.ErrRenewed.Error() }
func (*renewedError) Unwrap() error { return store.ErrRenewed }

// ended says how the session of tombstone r ended: one that expired is simply not there.
func (c *Cluster) ended(r *record.Record) error {
	if r.Reason == record.Logout {
		return store.ErrDestroyed
	}
	return &store.GoneError{Reason: r.Reason}
}

// isAbsent reports whether err says that there is no item at all, not even one
// that tells of a session's end.
func isAbsent(err error) bool { return err == store.ErrNotFound }

// fetch gets and parses the item under key.
func (c *Cluster) fetch(ctx context.Context, key string) (store.Item, *record.Record, error) {
	item, err := c.node.Store.Get(ctx, key, store.Whole)
	if errors.Is(err, store.ErrNotFound) {
		return item, nil, store.ErrNotFound
	}
	if err != nil {
		return item, nil, c.failed(err)
	}
	r, err := c.codec.Parse(item.Value, key)
	if err != nil {
		return item, nil, c.failed(err)
	}
	return item, r, nil
}

// view makes a View of a session that was read, unless its time is over.
func (c *Cluster) view(ctx context.Context, key string, item store.Item, r *record.Record, aliased bool) (*store.View, error) {
	l := lifeOf(r, item.TTL, time.Now())
	v := &store.View{
		Record: r, LastAccessed: l.lastUse, Aliased: aliased, Extended: l.extend,
		Key: key, Versions: []store.Version{item.Version},
	}
	if l.ended != 0 {
		return nil, c.expire(ctx, v, l.ended)
	}
	return v, nil
}

// expire ends a session whose time is over. The one that ends it learns so from the
// error, so that the end is reported once.
func (c *Cluster) expire(ctx context.Context, v *store.View, reason record.Reason) error {
	gone := &store.GoneError{Reason: reason}
	if _, err := c.put(ctx, v, tombstoneOf(v.Record, reason)); err == nil {
		c.counts.expired.Add(1)
		gone.Ended = v.Record
	}
	return gone // also when that failed: it is over, whoever wrote it down
}

// extend extends the life of v's session without making anybody wait. It never
// rides on the read: the time to live stands in the record, and a tombstone's
// must not become longer.
func (c *Cluster) extend(v *store.View) {
	r := v.Record
	if r.TTL == store.Forever || r.Outdated {
		c.behind.run(v.Key, func(ctx context.Context) error { return c.rewrite(ctx, v) })
		return
	}
	c.behind.run(v.Key, func(ctx context.Context) error { return c.touch(ctx, v) })
}

// touch sets the time to live that v's record tells. When something else has been
// stored since v was read, such as a longer idle timeout, this was too short for
// it, or too long: it gets its own back.
func (c *Cluster) touch(ctx context.Context, v *store.View) error {
	version, ttl := v.Versions[0], v.Record.TTL
	for {
		touched, err := c.node.Store.Touch(ctx, v.Key, ttl)
		if err != nil || touched == version {
			return err
		}
		item, r, err := c.fetch(ctx, v.Key)
		if err != nil || r.TTL == ttl {
			return err
		}
		version, ttl = item.Version, r.TTL
	}
}

// rewrite extends a life that no time to live can tell, because it is longer
// than the store's: the record itself says when it was last used. It also seals
// a record with the first key of the ring, so that a key can be left out one day.
func (c *Cluster) rewrite(ctx context.Context, v *store.View) error {
	next := v.Record.Clone()
	next.LastAccessed = time.Now()
	next.Revision++
	next.AddCommit(rand.Uint64()) // each revision has its commit
	_, err := c.put(ctx, v, next)
	if errors.Is(err, store.ErrConflict) {
		return nil // whoever wrote it has extended it
	}
	return err
}

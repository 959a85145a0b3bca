package placement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A renewal is one RENEW under way: the session is written under its new key
// first, then an alias in its old place. The alias is what decides: it names
// the version that it replaces, so of two renewals one wins, and a commit that
// comes between is seen. A crash between the two leaves a record under an id
// that nobody knows, which expires.
type renewal struct {
	*Cluster
	change *store.Change
	from   *store.View // newest known state in the old place
	to     *store.View // what was written under the new key
	won    bool        // our alias stands
}

func (c *Cluster) renew(ctx context.Context, base *store.View, ch *store.Change) (*store.View, error) {
	r := &renewal{Cluster: c, change: ch, from: base, to: c.nothing(storageKey(c.prefix, ch.RenewTo))}
	if ch.Uncertain { // given again: it may have happened since
		if err := r.look(ctx, store.ErrUnknownOutcome); err != nil {
			return nil, err
		}
	}
	for !r.won {
		next, err := c.apply(r.from.Record, ch)
		if err != nil {
			r.abandon(ctx)
			return nil, err
		}
		if r.from.Aliased && next.Login == r.from.Record.Login {
			// Somebody renewed already, and whoever sends the former id must not
			// learn the new one: only the rest of the change is committed.
			r.abandon(ctx)
			return c.settle(ctx, r.from, ch)
		}
		if err := r.move(ctx, next); err != nil {
			return nil, err
		}
	}
	return r.to, nil
}

// move writes next under the new key and then the alias. When that fails it
// finds out what to move now.
func (r *renewal) move(ctx context.Context, next *record.Record) error {
	version, err := r.put(ctx, r.to, next)
	if err != nil {
		return r.lookUnderNewKey(ctx, err)
	}
	r.to = r.written(r.to, next, version)
	r.to.Aliased = false
	if _, err := r.put(ctx, r.from, r.alias()); err != nil {
		return r.look(ctx, err)
	}
	r.won = true
	return nil
}

// alias returns what stands in the old place after the renewal.
func (r *renewal) alias() *record.Record {
	old := r.from.Record
	alias := &record.Record{
		Kind:         record.Alias,
		Target:       r.to.Key,
		OwnerChanged: r.to.Record.Login != old.Login,
		Until:        time.Now().Add(r.change.Grace),
		Epoch:        old.Epoch,
		Revision:     old.Revision + 1,
		Members:      old.Members,
		TTL:          endTTL(old),
	}
	alias.AddCommit(r.change.Commit)
	return alias
}

// lookUnderNewKey finds out, after a failed write under the new key, what
// stands there. Only we know that key until our alias stands: what stands
// there is our own earlier write, or somebody has followed our alias.
func (r *renewal) lookUnderNewKey(ctx context.Context, failure error) error {
	fresh, err := r.again(ctx, r.to, &store.Change{Commit: r.change.Commit}, failure)
	if err != nil {
		return err
	}
	r.to = fresh
	if n := len(fresh.Record.Commits); n > 0 && fresh.Record.Commits[n-1] != r.change.Commit {
		r.won = true
	}
	return nil
}

// look finds out, after a failed write in the old place, what stands there.
func (r *renewal) look(ctx context.Context, failure error) error {
	_, old, err := r.fetch(ctx, r.from.Key)
	switch {
	case err == nil && old.Kind == record.Alias && old.HasCommit(r.change.Commit):
		r.won = true
		if r.to.Versions[0] == store.Absent { // the renewal was given again
			r.to, err = r.read(ctx, r.to.Key)
		}
		return err
	case errors.Is(err, store.ErrUnavailable) && errors.Is(failure, store.ErrUnknownOutcome):
		r.uncertain(r.from, r.change)
		return fmt.Errorf("%w (%w)", store.ErrUnknownOutcome, err)
	}
	if r.from, err = r.again(ctx, r.from, r.change, failure); err != nil {
		r.abandon(ctx)
		return err
	}
	if r.from.Aliased {
		r.counts.lostRenewals.Add(1)
	}
	return nil
}

// abandon removes what was written under the new key, unless an alias that is
// still on its way may lead to it. If that fails it expires: its id was never
// told to anybody.
func (r *renewal) abandon(ctx context.Context) {
	if !r.change.Uncertain && r.to.Versions[0] != store.Absent {
		_ = r.node.Store.Delete(ctx, r.to.Key, r.to.Versions[0])
	}
}

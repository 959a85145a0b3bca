package placement

import (
	"context"
	"errors"
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
		if err := r.look(ctx); err != nil {
			return nil, err
		}
	}
	for !r.won {
		next, err := c.apply(r.from.Record, ch)
		if err != nil {
			r.abandon(ctx, err)
			return nil, err
		}
		if r.from.Aliased && next.Login == r.from.Record.Login {
			// Somebody renewed already, and whoever sends the former id must not
			// learn the new one: only the rest of the change is committed.
			r.abandon(ctx, store.ErrRenewed)
			return c.settle(ctx, r.from, ch)
		}
		if err := r.move(ctx, next); err != nil {
			r.abandon(ctx, err)
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
	_, err = r.put(ctx, r.from, r.alias())
	if err == nil {
		r.won = true
		return nil
	}
	if errors.Is(err, store.ErrUnknownOutcome) {
		r.change.Tried = append(r.change.Tried, next)
	}
	if err := r.failedWrite(r.from, r.change, err); err != nil {
		return err
	}
	return r.look(ctx)
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
// stands there, and only then what stands in the old place. If that is not our
// alias, what was read under the new key is what an earlier try has left: nobody
// else knows that key, so it can be written over. In the other order our alias
// could happen in between, and somebody who follows it could commit.
func (r *renewal) lookUnderNewKey(ctx context.Context, failure error) error {
	fresh, err := r.again(ctx, r.nothing(r.to.Key), &store.Change{}, failure, inGrace)
	if err != nil {
		return err
	}
	r.to = fresh
	return r.look(ctx)
}

// look finds out what stands in the old place: our alias, if the way from there
// leads to the new key, or what is to be moved.
func (r *renewal) look(ctx context.Context) error {
	v, err := r.reread(ctx, r.from, passageOf(r.change))
	if err != nil {
		return err
	}
	if v.Key == r.to.Key {
		r.won, r.to = true, madeBy(r.change, v)
		r.to.Aliased = false // the alias is ours
		return nil
	}
	if v.Aliased && !r.from.Aliased {
		r.counts.lostRenewals.Add(1)
	}
	r.from = v
	return nil
}

// abandon removes what was written under the new key, since the renewal ends
// with err, unless an alias that is still on its way may lead to it. If that fails
// it expires: its id was never told to anybody.
func (r *renewal) abandon(ctx context.Context, err error) {
	mayHappen := r.change.Uncertain && !over(err)
	if !mayHappen && r.to.Versions[0] != store.Absent {
		_ = r.node.Store.Delete(ctx, r.to.Key, r.to.Versions[0])
	}
}

package placement

import (
	"context"
	"errors"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// Destroy is DESTROY, wherever a renewal has moved the session: a tombstone on
// all nodes, each in the place of what was read there. No write under way can
// follow it, since each names the version that it replaces; and it cannot cover
// the alias of a renewal that nobody here has seen.
func (c *Cluster) Destroy(ctx context.Context, base *store.View) error {
	var ending store.Change // notes whether it may have happened
	if base.Seen == nil {
		var err error
		if base, err = c.reread(ctx, base, store.Whole, sameOwner); err != nil {
			return destroyed(err)
		}
	}
	o := c.resume(base)
	for try := 0; ; try++ {
		err := o.buryThrough(ctx, maxRenewals, try == 0, &ending)
		switch {
		case errors.Is(err, errElsewhere):
			o = o.former()
		case !errors.Is(err, errAgain):
			return destroyed(unsettled(&ending, err))
		}
		// What was read is old, or an answer did not come: find what to end now, also
		// where a renewal has moved it long ago.
		if err = o.mayTryAgain(ctx, &ending, try); err == nil {
			o, err = o.toBury(ctx)
		}
		if err != nil {
			return destroyed(unsettled(&ending, err))
		}
	}
}

// destroyed is err, why nothing was destroyed, unless somebody else did it.
func destroyed(err error) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDestroyed) {
		return nil
	}
	return err
}

// toBury READs what is to end now, on all nodes.
func (o *op) toBury(ctx context.Context) (*op, error) {
	hint := o.at()
	for range maxRenewals {
		o = o.next(o.key).ledBy(o.via)
		v, err := o.read(ctx, hint, store.Whole)
		if err == nil && o.usable()&^o.asked != 0 {
			v = o.askOthers(ctx)
			err = o.concluded(v)
		}
		switch {
		case isAbsent(err):
			o.counts.lost.Add(1)
			return nil, err
		case err != nil:
			return nil, err
		case v.truth.Kind != record.Alias:
			return o, nil
		case !sameOwner(v.truth):
			return nil, store.ErrRenewed
		}
		hint = v.at
		o = o.next(v.truth.Target).ledBy(o)
	}
	return nil, store.ErrRenewed
}

func (o *op) ledBy(via *op) *op {
	o.via = via
	return o
}

// at is the node that has the truth, as far as o has asked.
func (o *op) at() int {
	v := look(o.roster, o.in)
	return v.at
}

// buryThrough ends the session of o, and also the one to which an alias leads
// that stands beside tombstones: a renewal met an earlier try of ours.
func (o *op) buryThrough(ctx context.Context, hops int, first bool, ending *store.Change) error {
	if err := o.through(ctx); err != nil {
		return err
	}
	v := look(o.roster, o.in)
	target := o.ledOn(v)
	if err := o.bury(ctx, v, tombstoneOf(o.longest(v), record.Logout), first, ending); err != nil || target == "" || hops == 0 {
		return err
	}
	led, err := o.next(target).toBury(ctx)
	if err != nil {
		return destroyed(err)
	}
	return led.buryThrough(ctx, hops-1, first, ending)
}

// ledOn finds an alias beside tombstones.
func (o *op) ledOn(v view) (target string) {
	for n := range o.in {
		if a := &o.in[n]; v.ended(o.in) && a.alias() && a.record != nil {
			return a.record.Target
		}
	}
	return ""
}

// bury puts tombstone where none is yet. If a copy holds something else than its
// home, such as an alias of which nobody knows whether it has won, the home is
// first, as in COMMIT 2. It is done when every node that answers has the tombstone;
// the others get it when they are back. If one did not answer, or this is not the
// first try, READ comes before that: what the others said may be of another time.
func (o *op) bury(ctx context.Context, v view, tombstone *record.Record, first bool, ending *store.Change) error {
	if len(v.unknown) > 0 {
		return o.strangers(v)
	}
	targets := o.unburied(v)
	switch {
	case targets&v.members == 0 && !v.ended(o.in):
		return o.silence() // whoever can ask its members would still find it
	case targets == 0:
		o.oweAbsent(tombstone)
		return nil
	}
	tombstone.Revision = max(tombstone.Revision, v.newest+1)
	err := o.writeTombstones(ctx, v, targets, tombstone, ending)
	if err == nil || ending.Uncertain() {
		o.oweAbsent(tombstone)
	}
	if err == nil && !first {
		return errAgain
	}
	return err
}

func (o *op) writeTombstones(ctx context.Context, v view, targets set, tombstone *record.Record, ending *store.Change) error {
	if !v.ended(o.in) && (v.ahead || o.sawAlias()) {
		o.put(ctx, setOf(v.at), tombstone)
		if err := o.acknowledged(setOf(v.at), tombstone, ending); err != nil {
			return err
		}
		targets = targets.without(v.at)
	}
	o.put(ctx, targets, tombstone)
	return o.acknowledged(targets, tombstone, ending)
}

// unburied are the nodes that get a tombstone now.
func (o *op) unburied(v view) set {
	targets := o.usable()
	for n := range o.in {
		a := &o.in[n]
		if a.tombstone() || v.ended(o.in) && a.alias() {
			targets = targets.without(n)
		}
	}
	return targets
}

func (o *op) sawAlias() bool {
	for n := range o.in {
		if o.in[n].alias() {
			return true
		}
	}
	return false
}

// expire ends a session whose time is over. The one that ends it learns so from the
// error, so that the end is reported once.
func (o *op) expire(ctx context.Context, v view, reason record.Reason) error {
	gone := &store.GoneError{Reason: reason}
	ending, tombstone := o.resumed(o), tombstoneOf(v.truth, reason)
	_ = ending.bury(ctx, v, tombstone, true, &store.Change{})
	if ending.in[v.at].record == tombstone { // the home decides, whatever the others said
		o.counts.expired.Add(1)
		gone.Ended = v.truth
	}
	return gone // also when that failed: it is over, whoever wrote it down
}

// buryBehind puts the tombstone that was read where a session still lies: a commit
// and the destroyer met a fault, and each was told of another time.
func (o *op) buryBehind(v view) {
	for n := range o.in {
		if o.in[n].hasItem() && o.in[n].mark.kind() == record.Session {
			o.behind.run(o.key, func(ctx context.Context) error {
				return o.resumed(o).bury(ctx, v, tombstoneOf(v.truth, v.truth.Reason), true, &store.Change{})
			})
			return
		}
	}
}

// tombstoneOf returns what stands in the place of r after its end. It keeps
// nothing of the user's.
func tombstoneOf(r *record.Record, reason record.Reason) *record.Record {
	return &record.Record{
		Kind:     record.Tombstone,
		Reason:   reason,
		Epoch:    r.Epoch,
		Revision: r.Revision + 1,
		Members:  r.Members,
		TTL:      endTTL(r),
	}
}

// longest is the truth, with the longest time to live of any copy that was read.
func (o *op) longest(v view) *record.Record {
	r := *v.truth
	for n := range o.in {
		if a := &o.in[n]; a.record != nil && r.TTL != store.Forever && (a.record.TTL == store.Forever || a.record.TTL > r.TTL) {
			r.TTL, r.IdleTimeout = a.record.TTL, max(r.IdleTimeout, a.record.IdleTimeout)
		}
	}
	return &r
}

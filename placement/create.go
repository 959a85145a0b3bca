package placement

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// create is CREATE: home and copies in one flight, where nothing may be yet.
// Nobody else knows the id before it is acknowledged, so whatever is found under
// it is ours. Each further try has an epoch that is higher than what earlier ones
// may still leave on other nodes.
//
// If the id is known to others, they may have gone on from what an earlier try has
// left: then there is no further one unless it is certain that there is nothing.
func (c *Cluster) create(ctx context.Context, o *op, ch *store.Change, known bool) (*store.View, error) {
	if ch.Uncertain() { // given again: it may have happened since
		found, err := o.next(o.key).find(ctx, -1, store.Whole, passageOf(ch))
		switch {
		case err == nil:
			return found.Seen.(*op).settle(ctx, found, ch)
		case !isAbsent(err) && (known || !errors.Is(err, store.ErrUnavailable)):
			return nil, err
		}
	}
	for try := 0; ; try++ {
		usable := o.usable() // once: a home that is given up meanwhile must be asked, and fail
		next, err := o.newRecord(usable, epochAfter(tried(ch)), ch)
		if err != nil {
			return nil, err
		}
		if err := o.enough(next, usable); err != nil {
			return nil, err
		}
		if ch.Unused {
			o.life = lifeLeft(next, time.Since(next.LastAccessed))
		}
		targets, _ := o.roster.indices(next.Members)
		err = o.writeFirst(ctx, targets&usable, next, ch, known)
		if err == nil {
			return o.confirmed(&store.View{}, ch, next), nil
		}
		if !errors.Is(err, errAgain) {
			return nil, err
		}
		if err := o.mayTryAgain(ctx, ch, try); err != nil {
			return nil, err
		}
		read := o.next(o.key)
		found, err := read.find(ctx, -1, store.Whole, passageOf(ch))
		switch {
		case err == nil:
			return found.Seen.(*op).settle(ctx, found, ch)
		case !isAbsent(err) && (known || !errors.Is(err, store.ErrUnavailable) || read.answered() == 0):
			return nil, err
		}
		o = o.next(o.key) // it did not happen, or where nobody sees it
		o.gone |= o.failing()
	}
}

// writeFirst writes what a session begins with. If others know the id the home is
// first: who finds a copy, and at its home nothing, takes that for lost.
func (o *op) writeFirst(ctx context.Context, targets set, next *record.Record, ch *store.Change, known bool) error {
	if home := setOf(o.roster.index(next.Members[0])); known {
		o.put(ctx, home, next)
		if err := o.acknowledged(home, next, ch); err != nil {
			return err
		}
		o.put(ctx, targets&^home, next)
		return o.acknowledged(targets, next, ch)
	}
	o.put(ctx, targets, next)
	return o.acknowledged(targets, next, ch)
}

// failing are the nodes that did not answer once, though another may be asked
// instead.
func (o *op) failing() set {
	failing := set(0)
	for n, times := range o.failed {
		if times > 0 && o.roster.nodes[n].monitor != nil {
			failing = failing.with(n)
		}
	}
	return failing
}

// newRecord is what a session begins with, whose home is one of usable.
func (o *op) newRecord(usable set, epoch uint32, ch *store.Change) (*record.Record, error) {
	home := o.roster.newHome(usable)
	if home < 0 {
		return nil, o.silence()
	}
	next := record.New()
	next.Epoch = epoch
	next.Members = o.roster.names(o.membersFrom(home, usable&^o.roster.draining))
	err := apply(ch, next)
	next.Revision++ // ch may have begun further up
	return next, err
}

// epochAfter is higher than what tries before, also of an earlier call, may have left.
func epochAfter(tried []*record.Record) uint32 {
	epoch := uint32(1)
	for _, r := range tried {
		epoch = max(epoch, r.Epoch+2)
	}
	return epoch
}

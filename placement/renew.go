package placement

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A renewal is one RENEW under way: the session is written under its new key
// first, on all members, then an alias in its old place. The alias is what
// decides: it names the version that it replaces, so of two renewals one wins,
// and a commit that comes between is seen. A crash between the two leaves a
// record under an id that nobody knows, which expires.
type renewal struct {
	*Cluster
	change *store.Change
	from   *store.View    // newest known state in the old place
	to     *op            // what stands under the new key
	made   *record.Record // what was written there last
	blind  bool           // nobody knows what stands there
	epoch  uint32         // of the next try: its home may be another
	won    *store.View    // our alias stands
}

func (c *Cluster) renew(ctx context.Context, base *store.View, ch *store.Change) (*store.View, error) {
	r := &renewal{Cluster: c, change: ch, from: base, to: c.newOp(storageKey(c.prefix, ch.RenewTo)), epoch: 1}
	if ch.Uncertain() { // given again: it may have happened since
		if err := r.lookUnderNewKey(ctx); err != nil {
			return nil, err
		}
	}
	for try := 0; r.won == nil; try++ {
		next := r.from.Record.Clone()
		if err := apply(ch, next); err != nil {
			r.abandon(ctx, err)
			return nil, err
		}
		if r.from.Aliased && next.Login == r.from.Record.Login {
			// Somebody renewed already, and whoever sends the former id must not
			// learn the new one: only the rest of the change is committed.
			r.abandon(ctx, store.ErrRenewed)
			return c.resume(r.from).settle(ctx, r.from, ch)
		}
		err := r.move(ctx, next)
		for errors.Is(err, errElsewhere) || errors.Is(err, errAgain) {
			if errors.Is(err, errElsewhere) {
				r.backToFormer()
			}
			err = r.lookAgain(ctx, try)
		}
		if err != nil {
			r.abandon(ctx, err)
			return nil, err
		}
	}
	return r.won, nil
}

// move writes next under the new key and then the alias.
func (r *renewal) move(ctx context.Context, next *record.Record) error {
	old := r.old()
	old.dismiss()
	r.to = r.resumed(r.to) // by now there may be more nodes
	r.to.trouble = old.trouble
	if err := old.through(ctx); err != nil {
		return err
	}
	if err := r.prepare(ctx, old, next); err != nil {
		r.blind = true
		return err
	}
	_, err := old.settleOnce(ctx, r.from, r.change, r.alias)
	if d, ok := r.change.Doubt.(*doubt); ok && errors.Is(err, errAgain) {
		d.keep(next)
	}
	if err == nil {
		r.won = &store.View{Record: next, LastAccessed: r.from.LastAccessed, Key: r.to.key, Left: r.from.Key, Seen: r.to}
	}
	return err
}

// old is what is known of the old place. It shares what the request has met.
func (r *renewal) old() *op {
	o := r.resume(r.from)
	o.trouble = r.to.trouble
	return o
}

// prepare is the first half of RENEW. An earlier try's record is replaced only if
// it is still as that left it: if not, its alias stands and others have gone
// through it.
func (r *renewal) prepare(ctx context.Context, old *op, next *record.Record) error {
	v := look(old.roster, old.in)
	next.Epoch, next.Revision = r.epoch, v.newest+1
	r.place(next, v)
	if err := r.to.enough(next, v.answered); err != nil {
		return err
	}
	members, _ := r.to.roster.indices(next.Members)
	r.epoch += 2
	r.made = next
	targets := r.to.copiesOf(v, next)
	r.to.put(ctx, targets, next)
	err := r.to.acknowledged(targets, next, &store.Change{})
	if err == nil && members&^v.answered != 0 {
		r.to.oweMend(next)
	}
	return err
}

// place chooses where next is to lie: where the try before has left something, or else
// that is to be left.
func (r *renewal) place(next *record.Record, v view) {
	wanted := v.answered &^ r.to.roster.draining
	var before set
	if r.made != nil {
		members, _ := r.to.roster.indices(r.made.Members)
		leaving, _ := r.to.roster.indices(r.made.Leaving)
		before = members | leaving
		if members&^wanted == 0 {
			next.Members, next.Leaving = r.made.Members, r.made.Leaving
			return
		}
	}
	next.Members = r.to.roster.names(r.to.membersFrom(v.at, wanted))
	members, _ := r.to.roster.indices(next.Members)
	next.Leaving = r.to.roster.namesOf(before &^ members)
}

// alias makes old into what stands in the old place after the renewal.
func (r *renewal) alias(ch *store.Change, old *record.Record) error {
	*old = record.Record{
		Kind:         record.Alias,
		Target:       r.to.key,
		OwnerChanged: r.made.Login != old.Login,
		Until:        time.Now().Add(ch.Grace),
		Epoch:        old.Epoch,
		Members:      old.Members,
		TTL:          endTTL(old),
	}
	old.AddCommit(ch.Commit)
	return nil
}

// backToFormer begins again where the alias that led here did not win.
func (r *renewal) backToFormer() {
	o := r.old().former()
	from := *r.from
	from.Key, from.Seen = o.key, o
	r.from = &from
}

// lookAgain finds out, after a try that failed, what to move now.
func (r *renewal) lookAgain(ctx context.Context, try int) error {
	if err := r.to.mayTryAgain(ctx, r.change, try); err != nil {
		return err
	}
	if r.blind {
		return r.lookUnderNewKey(ctx)
	}
	return r.look(ctx)
}

// lookUnderNewKey finds out what stands under the new key, and only then what
// stands in the old place. If that is not our alias, what was read under the new
// key is what an earlier try has left: nobody else knows that key, so it can be
// written over. In the other order our alias could happen in between, and
// somebody who follows it could commit.
func (r *renewal) lookUnderNewKey(ctx context.Context) error {
	to := r.to.next(r.to.key)
	v, err := to.read(ctx, r.old().at(), store.Whole)
	switch {
	case err == nil && v.truth.Kind == record.Tombstone:
		return ended(v.truth)
	case err == nil:
		r.epoch = max(r.epoch, v.truth.Epoch+2)
	case !isAbsent(err) && !(errors.Is(err, store.ErrUnavailable) && to.answered() != 0):
		return err
	}
	r.to, r.blind = to, false
	return r.look(ctx)
}

// look finds out what stands in the old place: our alias, if the way from there
// leads to the new key, or what is to be moved.
func (r *renewal) look(ctx context.Context) error {
	v, err := r.old().again(ctx, r.from, r.change, 0)
	if err != nil {
		return err
	}
	if v.Key == r.to.key {
		return r.win(ctx, v)
	}
	if v.Aliased && !r.from.Aliased {
		r.counts.lostRenewals.Add(1)
	}
	r.from = v
	return nil
}

// win ends the renewal: our alias has been found, and is brought to all members.
func (r *renewal) win(ctx context.Context, v *store.View) error {
	o := v.Seen.(*op)
	if err := o.through(ctx); err != nil {
		return err
	}
	o.via = nil
	r.won = madeBy(r.change, v)
	r.won.Aliased = false // the alias is ours
	return nil
}

// abandon removes what was written under the new key, since the renewal ends
// with err, unless an alias that is still on its way may lead to it. If that fails
// it expires: its id was never told to anybody.
func (r *renewal) abandon(ctx context.Context, err error) {
	mayHappen := r.change.Uncertain() && !over(err)
	if mayHappen || r.made == nil {
		return
	}
	written := set(0)
	for n := range r.to.in {
		if a := &r.to.in[n]; a.record != nil && a.record.HasCommit(r.change.Commit) {
			written = written.with(n)
		}
	}
	r.to.flight(ctx, written, call{ask: func(o *op, ctx context.Context, n int) answer {
		return answer{err: o.roster.nodes[n].Store.Delete(ctx, o.key, o.in[n].version)}
	}})
}

package placement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// Commit is CREATE, COMMIT or RENEW.
func (c *Cluster) Commit(ctx context.Context, id string, base *store.View, ch *store.Change) (*store.View, error) {
	v, err := c.commit(ctx, id, base, ch)
	return v, unsettled(ch, err)
}

func (c *Cluster) commit(ctx context.Context, id string, base *store.View, ch *store.Change) (*store.View, error) {
	if base == nil {
		return c.create(ctx, c.newOp(storageKey(c.prefix, id)), ch, false)
	}
	var err error
	switch given := ch.Uncertain(); { // again: it may have happened since
	case base.Seen == nil && given:
		base, err = c.reread(ctx, base, store.Whole, passageOf(ch))
	case base.Seen == nil:
		base, err = c.reread(ctx, base, store.Head, passageOf(ch))
	case given:
		base, err = c.resume(base).again(ctx, base, ch, 0)
	}
	if err != nil {
		return nil, err
	}
	if ch.RenewTo != "" {
		return c.renew(ctx, base, ch)
	}
	return c.resume(base).settle(ctx, base, ch)
}

// settle is COMMIT: it makes ch happen to the session of base, and when that did
// not happen for certain, READs and tries again, until ch happened once or cannot
// any more.
//
// A retry is safe whatever became of the writes before it, because all name the
// versions that they replace: if the late one comes first, ours is refused and
// the next READ finds our commit id; if ours comes first, the late one is
// refused by the node.
func (o *op) settle(ctx context.Context, base *store.View, ch *store.Change) (*store.View, error) {
	for try := 0; ; try++ {
		v, err := o.settleThrough(ctx, base, ch)
		switch {
		case errors.Is(err, errElsewhere):
			o = o.former()
		case !errors.Is(err, errAgain):
			return v, err
		}
		if try == 0 && !ch.Uncertain() && o.turns.Take(ctx, base.Key) { // uncertain ones hurry
			defer o.turns.Give(base.Key)
		}
		if base, err = o.again(ctx, base, ch, try); err != nil {
			return nil, err
		}
		o = base.Seen.(*op) // which nobody else has, and which knows whom not to ask
	}
}

func (o *op) settleThrough(ctx context.Context, base *store.View, ch *store.Change) (*store.View, error) {
	if err := o.through(ctx); err != nil {
		return nil, err
	}
	return o.settleOnce(ctx, base, ch, apply)
}

// errAgain says that a write did not get all the answers that it needs: READ
// tells what to do. It is a conflict for those who do not try again.
var errAgain = fmt.Errorf("%w: read again", store.ErrConflict)

// settleOnce is one try of COMMIT on what READ found. after makes the newest state
// into the one after ch.
func (o *op) settleOnce(ctx context.Context, base *store.View, ch *store.Change, after func(*store.Change, *record.Record) error) (*store.View, error) {
	v := look(o.roster, o.in)
	if o.shortSighted(v) {
		return nil, errAgain
	}
	has := o.happened(v, ch)
	switch {
	case !has && o.forgotten(v, ch):
		return nil, store.ErrForgotten
	case len(v.unknown) > 0:
		return nil, o.strangers(v)
	}
	next := v.truth.Clone()
	if !has {
		if err := after(ch, next); err != nil {
			return nil, err
		}
	}
	if ch.Unused {
		if last := next.LastAccessed; last.After(v.truth.LastAccessed) && last.After(o.used) {
			o.used = last // whoever stores it again has used it later
		}
		o.life = o.remaining(v, next)
	}
	parallel := v.clean && !has && !v.ahead
	switch {
	case o.moves(v):
		o.newEpoch(v, next)
		parallel = false
	case has && o.settledEverywhere(v, ch):
		if err := o.enough(v.truth, v.answered); err != nil {
			return nil, err
		}
		return o.confirmed(base, ch, v.truth), nil
	default:
		next.Leaving = o.leaving(v)
	}
	if err := o.enough(next, v.answered); err != nil {
		return nil, err
	}
	next.Revision = max(v.newest, next.Revision) + step(v)
	if err := o.write(ctx, v, next, parallel, ch); err != nil {
		return nil, err
	}
	if next.Epoch != v.truth.Epoch {
		o.counts.relocations.Add(1)
	}
	o.oweLeft(v, next)
	return o.confirmed(base, ch, next), nil
}

// step is how far the revision rises: above that of a member which did not answer, which
// may be one ahead of its home and must be seen to miss this when it is back.
func step(v view) uint64 {
	if v.members&^v.answered != 0 {
		return 2
	}
	return 1
}

// shortSighted reports whether more nodes must be asked before anybody decides
// where the session is to lie.
func (o *op) shortSighted(v view) bool {
	return (!v.clean || o.unwanted(v) != 0 || v.members.size() < o.copies) && o.usable()&^o.asked != 0
}

// strangers is the error of a server that does not know all members: it can
// neither ask them nor replace them.
func (o *op) strangers(v view) error {
	return o.counted(fmt.Errorf("%w: this session lies on %v, not in this server's list of nodes: give all servers the new list before any uses it",
		store.ErrUnavailable, v.unknown))
}

// settledEverywhere reports whether every member has the change, in this epoch. One
// that does not answer may have what somebody else made of the same state, under the
// same revision: the change is then written again, so far above that this shows when
// the member is back. Not so the alias of another, which many may go through at once:
// whoever made it has done that before it was acknowledged.
func (o *op) settledEverywhere(v view, ch *store.Change) bool {
	silent, own := v.members&^v.answered, ch.Apply != nil
	if !v.homeHas || silent != 0 && own || v.copied && v.unheard() { // it is certain by now that those are not needed
		return false
	}
	for n := range (v.members | v.unaware).all() {
		a := &o.in[n]
		if a.status == done && !(a.follows(v.truth) && sameChange(a.record, v.truth, ch)) {
			return false
		}
	}
	return true
}

// enough refuses a change that fewer nodes would take than are wanted, where its
// user would rather have an error than a session on one node alone.
func (o *op) enough(next *record.Record, answered set) error {
	members, _ := o.roster.indices(next.Members)
	if missing := members &^ answered; o.refuseDegraded && missing != 0 {
		return o.counted(fmt.Errorf("%w: %v of this session's nodes %v do not answer, and changes with fewer copies are refused",
			store.ErrUnavailable, o.roster.namesOf(missing), next.Members))
	}
	return nil
}

// sameChange reports whether a copy tells of the change as its home does.
func sameChange(r, home *record.Record, ch *store.Change) bool {
	if r == nil || r.Kind != home.Kind || r.Target != home.Target {
		return false
	}
	return r.HasCommit(ch.Commit) || !home.HasCommit(ch.Commit) && r.SameState(home)
}

// apply makes a record into the one after ch.
func apply(ch *store.Change, r *record.Record) error {
	begins := r.Revision == 0
	if err := ch.Apply(r); err != nil {
		return err
	}
	now := time.Now()
	if !ch.Unused {
		r.LastAccessed = now
	}
	if begins {
		r.TTL = ttlOf(r, now)
	} else {
		r.TTL = longer(r.TTL, ttlOf(r, now))
	}
	r.AddCommit(ch.Commit)
	return nil
}

// write is COMMIT 1, 2 and 4: next to its home and, in the same flight or after
// the home's answer, to the copies, and to members that leave: who has read the
// old record there can then not go on from it.
func (o *op) write(ctx context.Context, v view, next *record.Record, parallel bool, ch *store.Change) error {
	home := o.roster.index(next.Members[0])
	copies := o.copiesOf(v, next).without(home)
	if parallel {
		o.put(ctx, copies.with(home), next)
		return o.acknowledged(copies.with(home), next, ch)
	}
	o.put(ctx, setOf(home), next)
	if o.in[home].status != done {
		return o.acknowledged(setOf(home), next, ch)
	}
	o.put(ctx, copies, next)
	return o.acknowledged(copies.with(home), next, ch)
}

// copiesOf are the nodes beside the home that get next.
func (o *op) copiesOf(v view, next *record.Record) set {
	members, _ := o.roster.indices(next.Members)
	leaving, _ := o.roster.indices(next.Leaving)
	copies := members & v.answered
	for n := range leaving.all() {
		if o.in[n].hasItem() {
			copies = copies.with(n)
		}
	}
	return copies
}

// confirmed is the end of a commit: r, with the change in it, is stored.
func (o *op) confirmed(base *store.View, ch *store.Change, r *record.Record) *store.View {
	if ch.Uncertain() {
		o.counts.settled.Add(1)
	}
	if v := look(o.roster, o.in); v.members&^v.answered != 0 {
		o.counts.degraded.Add(1)
		o.oweMend(r)
	}
	if r.Kind == record.Alias {
		o.oweAbsent(r)
	}
	o.view = store.View{Record: r, LastAccessed: base.LastAccessed, Aliased: o.via != nil || base.Aliased, Key: o.key, Seen: o}
	return madeBy(ch, &o.view)
}

// again is COMMIT 5: READ, of all members with the value, through aliases that
// are good, for another try after one that failed.
func (o *op) again(ctx context.Context, base *store.View, ch *store.Change, try int) (*store.View, error) {
	if err := o.mayTryAgain(ctx, ch, try); err != nil {
		return nil, err
	}
	fresh, err := o.next(o.key).find(ctx, o.roster.index(home(base.Record)), store.Whole, passageOf(ch))
	if isAbsent(err) {
		o.counts.lost.Add(1)
	}
	if err != nil {
		return nil, err
	}
	fresh.Aliased = fresh.Aliased || base.Aliased // the way to base led through an alias, the way from there need not
	return fresh, nil
}

// mayTryAgain waits a little if there were tries enough: many want the same
// session, and not all at once. It returns why there is no further try.
func (o *op) mayTryAgain(ctx context.Context, ch *store.Change, try int) error {
	if o.usable() == 0 {
		return o.silence()
	}
	switch {
	case ch.Uncertain() && try < 32: // its commit id must not be forgotten meanwhile
	case ch.Uncertain():
		pause(ctx, 100*time.Microsecond)
	case try >= 2:
		pause(ctx, 250*time.Microsecond<<min(try-2, 4))
	}
	if cause := ctx.Err(); cause != nil {
		return o.counted(fmt.Errorf("%w: no time left for another try: %w", store.ErrUnavailable, cause))
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// home of r, or "".
func home(r *record.Record) string {
	if len(r.Members) == 0 {
		return ""
	}
	return r.Members[0]
}

package placement

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// after begins what a read session needs, without making anybody wait: its
// life extended, or itself written again.
func (c *Cluster) after(v *store.View) {
	o, r := v.Seen.(*op), v.Record
	seen := look(o.roster, o.in)
	due := v.Extended && (r.TTL == store.Forever || r.Outdated) || r.Outdated && r.IdleTimeout == 0
	switch {
	case c.broken(o, seen, r):
		c.later(v, c.repair)
	case due:
		c.behind.run(v.Key, func(ctx context.Context) error { return c.rewrite(ctx, v) })
	case v.Extended && seen.ahead: // a touch reaches only who has the truth, and the copy would expire
		c.later(v, c.mendOrTouch)
	case v.Extended:
		c.behind.run(v.Key, func(ctx context.Context) error { return c.touch(ctx, v) })
	}
}

func (c *Cluster) broken(o *op, seen view, r *record.Record) bool {
	return o.mendable(seen) || o.lags(seen) && time.Since(r.LastAccessed) > c.behind.timeout
}

// later has work write the session of v again, a little after the request that has read it:
// if that changes the session, it has repaired it, and the two would only meet.
func (c *Cluster) later(v *store.View, work func(context.Context, *store.View) error) {
	c.behind.run(v.Key, func(ctx context.Context) error {
		pause(ctx, repairAfter)
		return work(ctx, v)
	})
}

// repairAfter is how long later waits for a request to change its session.
const repairAfter = 20 * time.Millisecond

// mendOrTouch extends the lives of those that have the truth where the session cannot be
// written: by this server, or with so few copies.
func (c *Cluster) mendOrTouch(ctx context.Context, v *store.View) error {
	if err := c.repair(ctx, v); err != nil {
		return c.touch(ctx, v)
	}
	return nil
}

// mendable reports whether a COMMIT would bring the session to more of the nodes
// where it should be than have it now: an emptied member is filled, a lost one is
// replaced, a drained one is left. Or that it would take from the list of those that
// leave what was never heard and is not needed.
func (o *op) mendable(v view) bool {
	if len(v.unknown) > 0 {
		return false
	}
	for n := range (v.members | v.leaving | v.unaware).all() {
		if o.in[n].status == done && !o.in[n].follows(v.truth) {
			return true
		}
	}
	return v.copied && v.unheard() || o.moves(v)
}

// lags reports whether a member holds an older revision than the truth. Either a
// commit is under way, or it was acknowledged while that member did not answer.
func (o *op) lags(v view) bool {
	for n := range v.members.all() {
		if a := &o.in[n]; a.holds(markOf(v.truth)) && a.mark.revisionsAfter(markOf(v.truth)) < 0 {
			return true
		}
	}
	return false
}

// repair is a COMMIT that changes nothing.
func (c *Cluster) repair(ctx context.Context, v *store.View) error {
	c.counts.repairs.Add(1)
	return c.rewrite(ctx, v)
}

// rewrite extends a life that no time to live can tell, because it is longer
// than the store's: the record itself says when it was last used. It also seals
// a record with the first key of the ring, so that a key can be left out one day.
func (c *Cluster) rewrite(ctx context.Context, v *store.View) error {
	used := v.Seen.(*op).used
	nothing := &store.Change{Commit: rand.Uint64(), Unused: !used.IsZero(), Apply: func(r *record.Record) error {
		if used.After(r.LastAccessed) {
			r.LastAccessed = used
		}
		return nil
	}}
	_, err := c.resume(v).settleThrough(ctx, v, nothing)
	switch {
	case !errors.Is(err, store.ErrConflict):
		return err
	case v.Extended:
		return c.extendAnew(ctx, v)
	}
	return nil
}

// extendAnew is for a session that somebody else has written. If that was a use, it has
// extended the life.
func (c *Cluster) extendAnew(ctx context.Context, v *store.View) error {
	o := c.newOp(v.Key)
	o.used = v.Seen.(*op).used
	fresh, err := o.find(ctx, -1, store.Whole, inGrace)
	if err != nil || !fresh.Extended {
		return err
	}
	return c.touch(ctx, fresh)
}

// touch sets the time to live that v's record tells, at all members that hold it. It never
// rides on the read: the time to live stands in the record, and a tombstone's
// must not become longer.
func (c *Cluster) touch(ctx context.Context, v *store.View) error {
	o := c.resume(v)
	seen, ttl := look(o.roster, o.in), v.Record.TTL
	if !o.used.IsZero() {
		ttl = o.remaining(seen, v.Record)
	}
	members := o.sameAs(seen)
	read := slices.Clone(o.in)
	o.flight(ctx, members&o.usable(), call{ask: func(o *op, ctx context.Context, n int) answer {
		err := o.touchOne(ctx, n, ttl, read[n].version)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return answer{status: silent, err: err}
		}
		return answer{status: done, err: err}
	}})
	var failures []error
	emptied := false
	for n := range members.all() {
		emptied = emptied || errors.Is(o.in[n].err, store.ErrNotFound)
		if o.in[n].status == silent {
			failures = append(failures, o.in[n].err)
		}
	}
	if emptied && len(o.roster.nodes) > 1 { // the next read would find out too, but perhaps too late
		fresh, err := o.next(v.Key).find(ctx, -1, store.Whole, inGrace)
		if err == nil {
			failures = append(failures, c.repair(ctx, fresh))
		}
	}
	return errors.Join(failures...)
}

// touchOne sets the time to live at node n. When something else has been stored
// there since it was read, such as a longer idle timeout, this was too short for
// it, or too long: it gets its own back.
func (o *op) touchOne(ctx context.Context, n int, ttl time.Duration, read store.Version) error {
	at := o.roster.nodes[n].Store
	for {
		touched, err := at.Touch(ctx, o.key, ttl)
		if err != nil || touched == read {
			return err
		}
		item, err := at.Get(ctx, o.key, store.Whole)
		if err != nil {
			return err
		}
		a := o.parsed(item, store.Whole)
		if a.err != nil || a.record.TTL == ttl {
			return a.err
		}
		read, ttl = item.Version, a.record.TTL
	}
}

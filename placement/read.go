package placement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/placement/health"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// maxRenewals bounds how many aliases one read follows: a session is renewed a
// few times within a grace at most, and a circle would be somebody's forgery.
const maxRenewals = 8

// Load is READ, and behind it the extension of the session's life and what its
// nodes need to be mended.
func (c *Cluster) Load(ctx context.Context, id, hint string) (*store.View, error) {
	key := c.Key(id)
	if c.missing.has(key) {
		c.counts.unknown.Add(1)
		c.counts.unknownRepeated.Add(1)
		return nil, store.ErrNotFound
	}
	o := c.newOp(key)
	v, err := o.load(ctx, hint, (*Cluster).after)
	if isAbsent(err) && o.answered() == o.roster.every() { // not if a node was only taken for lost
		c.missing.add(key)
	}
	return v, err
}

// LoadKey is Load of the session with that storage key. What it does not find is not
// remembered: another server may store it again, from its memory.
func (c *Cluster) LoadKey(ctx context.Context, key, hint string) (*store.View, error) {
	return c.newOp(key).load(ctx, hint, (*Cluster).after)
}

// LookAt is LoadKey that is no use of the session, for who has it in memory and knows
// that it was used last at used: its life goes on from there.
func (c *Cluster) LookAt(ctx context.Context, key, hint string, used time.Time) (*store.View, error) {
	o := c.newOp(key)
	o.used = used
	return o.load(ctx, hint, (*Cluster).after)
}

func (o *op) load(ctx context.Context, hint string, after func(*Cluster, *store.View)) (*store.View, error) {
	v, err := o.find(ctx, o.roster.index(hint), store.Head, inGrace)
	switch {
	case err == nil:
		after(o.Cluster, v)
	case errors.Is(err, store.ErrNotFound):
		o.counts.unknown.Add(1)
	case errors.Is(err, store.ErrDestroyed):
		err = &store.GoneError{Reason: record.Logout}
	case errors.Is(err, store.ErrRenewed):
		late, ok := errors.AsType[*renewedError](err)
		err = &store.GoneError{Lately: ok && time.Now().Before(late.until)}
	}
	return v, err
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
		return alias.HasCommit(ch.Commit) || inGrace(alias) || ch.Uncertain() && sameOwner(alias)
	}
}

// sameOwner: for who had the session before it was renewed, however long ago.
func sameOwner(alias *record.Record) bool { return !alias.OwnerChanged }

// find is READ through aliases that are good. Of the nodes that are not hint it
// asks for part first. Its errors tell ErrDestroyed and ErrRenewed from ErrNotFound.
func (o *op) find(ctx context.Context, hint int, part store.Part, good passage) (*store.View, error) {
	for range maxRenewals {
		v, err := o.read(ctx, hint, part)
		if err != nil {
			return nil, err
		}
		switch v.truth.Kind {
		case record.Tombstone:
			o.counts.tombstones.Add(1)
			o.buryBehind(v)
			return nil, ended(v.truth)
		case record.Alias:
			if !good(v.truth) {
				return nil, &renewedError{v.truth.Until}
			}
			o.counts.aliases.Add(1)
			behind := o.next(v.truth.Target)
			behind.via = o
			o, hint = behind, v.at
		default:
			return o.viewOf(ctx, v)
		}
	}
	return nil, fmt.Errorf("%w: renewed more than %d times at once", store.ErrRenewed, maxRenewals)
}

// A renewedError is the ErrRenewed that knows when the grace ends.
type renewedError struct{ until time.Time }

func (*renewedError) Error() string { return store.ErrRenewed.Error() }
func (*renewedError) Unwrap() error { return store.ErrRenewed }

// ended says how the session of tombstone r ended: one that expired is simply not there.
func ended(r *record.Record) error {
	if r.Reason == record.Logout {
		return store.ErrDestroyed
	}
	return &store.GoneError{Reason: r.Reason}
}

// isAbsent reports whether err says that there is no item at all, not even one
// that tells of a session's end.
func isAbsent(err error) bool { return err == store.ErrNotFound }

// read is READ: first the node of the hint with the value and the next in list
// order, then, unless all that follows is certain, all others.
func (o *op) read(ctx context.Context, hint int, part store.Part) (view, error) {
	clear(o.in)
	o.asked = 0
	if hint = o.firstAsked(hint); hint < 0 {
		return view{}, o.silence()
	}
	first := o.roster.chosen(hint, o.usable()&^o.roster.draining, o.copies)
	whole := first
	if part == store.Head {
		whole = setOf(hint)
	}
	o.get(ctx, first, whole)
	v := look(o.roster, o.in)
	if !v.ended(o.in) && (!v.clean || o.shortSighted(v)) {
		v = o.askOthers(ctx)
	}
	for o.readOn(ctx, v) {
		v = look(o.roster, o.in)
	}
	return v, o.concluded(v)
}

// readOn asks one node more where that can change what v is: the truth was only probed,
// or its home answered without it. What a copy has its home had before: either the home
// was read too early, or it has lost that, and only asking it again can tell
// (HomeAskedAgain). It reports whether there was anything new.
func (o *op) readOn(ctx context.Context, v view) bool {
	switch {
	case !v.found || v.err != nil:
		return false
	case v.truth == nil:
		o.get(ctx, setOf(v.at), setOf(v.at))
		return true
	case v.ended(o.in):
		return false
	}
	n := o.roster.index(home(v.truth))
	if v.homeHas || n < 0 || !v.answered.has(n) {
		return false
	}
	before := o.in[n]
	o.get(ctx, setOf(n), setOf(n))
	a := &o.in[n]
	return a.status != done || a.hasItem() != before.hasItem() || a.version != before.version
}

// firstAsked is the node that is asked for the value: hint, if it is worth asking.
func (o *op) firstAsked(hint int) int {
	usable := o.usable()
	if usable.has(hint) {
		return hint
	}
	for _, these := range [2]set{usable &^ o.roster.draining, usable} {
		for _, n := range o.roster.order {
			if these.has(n) {
				return n
			}
		}
	}
	return -1
}

// askOthers is READ 3. A node that was only probed is asked again: its later
// answer counts, as if it had been the first.
func (o *op) askOthers(ctx context.Context) view {
	probed := set(0)
	for n := range o.in {
		if a := &o.in[n]; a.hasItem() && a.record == nil && a.err == nil {
			probed = probed.with(n)
		}
	}
	these := (o.usable() &^ o.asked) | probed&o.usable()
	o.get(ctx, these, these)
	return look(o.roster, o.in)
}

// concluded is READ 6.
func (o *op) concluded(v view) error {
	switch {
	case v.err != nil:
		return o.counted(fmt.Errorf("node %s: %w", o.roster.nodes[v.at].Name, v.err))
	case v.found && (v.truth == nil || o.outdone(v)):
		return o.silence()
	case v.found:
		return nil
	case v.answered|o.lost() == o.roster.every():
		return store.ErrNotFound
	}
	return o.silence()
}

// outdone reports whether nodes that did not answer may know better than all that
// did: the session may have left these (MembersSpeak); or this server was cut off from
// all nodes, and asks one again before the others.
func (o *op) outdone(v view) bool {
	silent := o.roster.every() &^ v.answered &^ o.lost()
	if v.clean || v.ended(o.in) || silent&v.members == 0 {
		return false
	}
	return v.members&v.answered == 0 || silent.size() >= o.copies && o.returning()&silent != 0
}

// returning are the nodes that will be asked again in a moment.
func (o *op) returning() (nodes set) {
	for i, n := range o.roster.nodes {
		if n.monitor != nil && n.monitor.State() == health.Returning {
			nodes = nodes.with(i)
		}
	}
	return nodes
}

func (o *op) answered() set { return look(o.roster, o.in).answered }

// lost are the nodes that have been away for so long that they count as empty.
func (o *op) lost() set {
	lost := set(0)
	for i, n := range o.roster.nodes {
		if n.monitor != nil && !n.monitor.Usable() && time.Since(n.monitor.Since()) > o.lostAfter {
			lost = lost.with(i)
		}
	}
	return lost
}

// viewOf makes a View of a session that was read, unless its time is over.
func (o *op) viewOf(ctx context.Context, v view) (*store.View, error) {
	left := o.left(v)
	l := lifeOf(v.truth, left, time.Now())
	if !o.used.IsZero() {
		l.heed(o.used, v.truth, time.Now())
	}
	if l.ended != 0 {
		return nil, o.expire(ctx, v, l.ended)
	}
	o.view = store.View{
		Record: v.truth, LastAccessed: l.lastUse, Aliased: o.via != nil, Extended: l.extend || o.fading(v, left),
		Key: o.key, Seen: o,
	}
	return &o.view, nil
}

// left is the longest time that any member has the truth for: one may have missed
// a touch.
func (o *op) left(v view) time.Duration {
	left := o.in[v.at].ttl
	for n := range o.sameAs(v).all() {
		ttl := o.in[n].ttl
		if foreign(v.truth.TTL, left) || ttl > left && !foreign(v.truth.TTL, ttl) {
			left = ttl
		}
	}
	return left
}

// fading reports whether a member will expire well before the others.
func (o *op) fading(v view, left time.Duration) bool {
	for n := range o.sameAs(v).all() {
		if ttl := o.in[n].ttl; ttl != store.Forever && (left == store.Forever || ttl < left-2*tick) {
			return true
		}
	}
	return false
}

// sameAs are the members that hold the very state that is the truth.
func (o *op) sameAs(v view) set {
	same := set(0)
	for n := range v.members.all() {
		if a := &o.in[n]; a.hasItem() && a.mark == o.in[v.at].mark {
			same = same.with(n)
		}
	}
	return same
}

package placement

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// What package sticky needs: it keeps sessions by their storage keys, not by their
// ids, and remembers of each no more than where it stands.

// Key returns the storage key of the session called id.
func (c *Cluster) Key(id string) string { return storageKey(c.prefix, id) }

// Create is Commit of a session that begins, under a storage key, and whose id the
// browser may have already.
func (c *Cluster) Create(ctx context.Context, key string, ch *store.Change) (*store.View, error) {
	v, err := c.create(ctx, c.newOp(key), ch, true)
	return v, unsettled(ch, err)
}

// WhenReturned has tell called with the name of each node that is back after it did
// not answer. It must not block.
func (c *Cluster) WhenReturned(tell func(name string)) { c.returned.Store(&tell) }

// A standing is what is left of an op once nobody works with it: the versions in
// which the members of a session all hold its record.
type standing struct {
	roster   *roster
	members  [maxStanding]struct{ node, size uint8 } // size: 1 if there is one
	versions [maxStanding]store.Version
}

const maxStanding = 3

// Standing returns notes for View.Seen that are much smaller than those of v and
// good for the next change; nil if its members do not all hold its record: then
// the change has to read first, as with any View without notes. It reports whether v
// is the newest state: a change that met others is answered with the one that it
// made itself.
func (c *Cluster) Standing(v *store.View) (notes any, newest bool) {
	o, ok := v.Seen.(*op)
	if !ok {
		return v.Seen, v.Seen != nil
	}
	seen := look(o.roster, o.in)
	switch {
	case seen.truth != v.Record:
		return nil, false
	case o.via != nil || !seen.clean || seen.ahead || o.lags(seen) || len(v.Record.Members) > maxStanding || seen.leaving != 0:
		return nil, true
	}
	s := &standing{roster: o.roster}
	i := 0
	for n := range seen.members.all() {
		s.members[i], s.versions[i] = struct{ node, size uint8 }{uint8(n), 1}, o.in[n].version
		i++
	}
	return s, true
}

// Bury puts a tombstone for so long where the session with that storage key was, and
// ends it if it is there again: nodes have lost the tombstones that they had.
func (c *Cluster) Bury(ctx context.Context, key string, ttl time.Duration) error {
	o := c.newOp(key)
	o.put(ctx, o.usable(), &record.Record{Kind: record.Tombstone, Reason: record.Logout, Revision: 1, TTL: ttl})
	return c.Destroy(ctx, &store.View{Key: key, Record: &record.Record{}})
}

// Lacks reports whether a node has answered that it lacks the session of v, or has an
// older state of it, though it should have it.
func (c *Cluster) Lacks(v *store.View) bool {
	o, ok := v.Seen.(*op)
	if !ok {
		return false
	}
	seen := look(o.roster, o.in)
	for n := range seen.members.all() {
		if a := &o.in[n]; a.status == done && !a.follows(seen.truth) {
			return true
		}
	}
	return false
}

// op is what can be known again from s and the record v.
func (s *standing) op(c *Cluster, v *store.View) *op {
	o := c.newOp(v.Key)
	o.used = v.LastAccessed
	left := lifeLeft(v.Record, time.Since(o.used))
	for i, m := range s.members {
		if n := o.roster.index(s.roster.nodes[m.node].Name); m.size > 0 && n >= 0 {
			o.in[n] = answer{status: done, version: s.versions[i], mark: markOf(v.Record), record: v.Record, ttl: left}
			o.asked = o.asked.with(n)
		}
	}
	return o
}

// reread is v, which has no notes, by a READ of part. Its last use may be one that the
// nodes do not know of.
func (c *Cluster) reread(ctx context.Context, v *store.View, part store.Part, good passage) (*store.View, error) {
	o := c.newOp(v.Key)
	o.used = v.LastAccessed
	fresh, err := o.find(ctx, o.roster.index(home(v.Record)), part, good)
	if isAbsent(err) {
		o.counts.lost.Add(1)
	}
	return fresh, err
}

// canaryTTL is how long a canary lives at most, for servers that are no more.
const canaryTTL = 24 * time.Hour

// Emptied asks all nodes for an item under key, which is the caller's own and no
// session's, puts one where there is none, and returns the names of those nodes: what
// else was there is gone too, if this is not the first call. It also finds out about
// nodes that do not answer, while nobody else asks them, and reports whether one does.
func (c *Cluster) Emptied(ctx context.Context, key string) (nodes []string, answered bool) {
	o := c.newOp(key)
	these := o.usable()
	o.get(ctx, these, 0)
	var missing, old set
	for n := range these.all() {
		a := &o.in[n]
		answered = answered || a.status == done
		switch {
		case a.status != done:
		case !a.hasItem():
			missing = missing.with(n)
		case a.ttl < canaryTTL/2: // it would expire while it is looked after
			old = old.with(n)
		}
	}
	canary := store.Item{Value: []byte("canary"), TTL: canaryTTL}
	o.flight(ctx, missing|old, call{ask: func(o *op, ctx context.Context, n int) answer {
		version, err := o.roster.nodes[n].Store.Put(ctx, key, canary, o.in[n].version)
		if err != nil {
			return answer{status: silent, err: err}
		}
		return answer{status: done, version: version}
	}})
	return o.roster.namesOf(missing), answered
}

// Answers asks all nodes at once, also those that are taken to be down, and reports
// whether one answers.
func (c *Cluster) Answers(ctx context.Context) bool {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	var answered atomic.Bool
	var asked sync.WaitGroup
	for _, n := range c.roster.Load().nodes {
		asked.Go(func() {
			if probe(ctx, n.Store) == nil {
				answered.Store(true)
				enough()
			}
		})
	}
	asked.Wait()
	return answered.Load()
}

package placement

import (
	"errors"
	"slices"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A doubt is about a change of which a write may have happened without our learning
// it: COMMIT 6.
type doubt struct {
	since   uint64           // the first such write follows this revision
	after   uint64           // and this commit; 0: none
	key     string           // under which all of them were, and
	epoch   uint32           // in which they named
	home    string           // this home
	mixed   bool             // they did not
	atHome  bool             // the home may have done one of them
	last    uint64           // the revision of the last one
	without uint64           // the newest revision of the home that certainly was without the change
	done    *record.Record   // what the home has done last; nil: nothing
	tried   []*record.Record // the states that they may have made
}

// maxTried bounds the states that are kept of a change with many tries.
const maxTried = 64

// unsure notes that a write of next may have happened.
func (o *op) unsure(targets set, next *record.Record, ch *store.Change) {
	mayHave := set(0)
	for n := range targets.all() {
		if a := &o.in[n]; a.status == done || errors.Is(a.err, store.ErrUnknownOutcome) {
			mayHave = mayHave.with(n)
		}
	}
	if mayHave == 0 {
		return
	}
	o.counts.uncertain.Add(1)
	d, ok := ch.Doubt.(*doubt)
	if !ok {
		d = &doubt{since: next.Revision - 1, after: before(next, ch), key: o.key, epoch: next.Epoch, home: home(next), without: next.Revision - 1}
		ch.Doubt = d
	}
	d.since, d.without = min(d.since, next.Revision-1), min(d.without, next.Revision-1) // a copy that was ahead may be gone
	d.mixed = d.mixed || d.key != o.key || d.epoch != next.Epoch || d.home != home(next)
	d.last = max(d.last, next.Revision)
	d.keep(next)
	if at := o.roster.index(home(next)); mayHave.has(at) {
		d.atHome = true
		if o.in[at].status == done {
			d.done = next
		}
	}
}

// before is the commit that ch follows in next.
func before(next *record.Record, ch *store.Change) uint64 {
	if i := slices.Index(next.Commits, ch.Commit); i > 0 {
		return next.Commits[i-1]
	}
	return 0
}

func (d *doubt) keep(r *record.Record) {
	if len(d.tried) == maxTried {
		d.tried = d.tried[1:]
	}
	d.tried = append(d.tried, r)
}

// tried are the states that writes of ch may have made.
func tried(ch *store.Change) []*record.Record {
	if d, ok := ch.Doubt.(*doubt); ok {
		return d.tried
	}
	return nil
}

// forgotten reports whether ch, whose commit id v does not tell, may be part of it all
// the same. Doubts that are over by v are dropped.
func (o *op) forgotten(v view, ch *store.Change) bool {
	d, ok := ch.Doubt.(*doubt)
	if !ok {
		return false
	}
	remembered := d.after != 0 && v.truth.HasCommit(d.after) // and so whatever came after that
	if !d.sameHome(o.key, v.truth) {
		return !remembered && outOf(d.since, v.truth)
	}
	if v.homeHas && (remembered || !d.atHome || !outOf(d.without, v.truth)) {
		d.goneWithout(v.truth)
	}
	if alone := len(v.truth.Members) == 1 && len(v.truth.Leaving) == 0; alone && !d.atHome {
		ch.Doubt = nil // with copies one of them may hold it, and decide one day
	}
	return !remembered && outOf(d.without, v.truth)
}

// sameHome reports whether all writes were under key, and named the home and the epoch
// of r, which lies there.
func (d *doubt) sameHome(key string, r *record.Record) bool {
	return !d.mixed && d.key == key && d.epoch == r.Epoch && d.home == home(r)
}

// happened reports whether ch is part of v: its commit id tells, or that the home which
// has done it still has what follows from that.
func (o *op) happened(v view, ch *store.Change) bool {
	return v.truth.HasCommit(ch.Commit) || o.doneAtHome(v, ch) != nil
}

// doneAtHome is the state that the home of v has made by ch, as far as it said so.
func (o *op) doneAtHome(v view, ch *store.Change) *record.Record {
	d, ok := ch.Doubt.(*doubt)
	if !ok || d.done == nil || !d.sameHome(o.key, v.truth) || !v.homeHas || v.truth.Revision < d.done.Revision {
		return nil
	}
	return d.done
}

// outOf reports whether r may have forgotten a change made after that revision.
func outOf(revision uint64, r *record.Record) bool {
	return r.Revision > revision && r.Revision-revision > record.MaxCommits
}

// goneWithout notes that the home has r, which is without the change. A late write to it
// will be refused where r has replaced the version that it names.
func (d *doubt) goneWithout(r *record.Record) {
	d.without = max(d.without, r.Revision)
	d.atHome = d.atHome && r.Revision < d.last
}

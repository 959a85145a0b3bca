package placement

import (
	"github.com/holdfast-sessions/holdfast/record"
)

// A view is what follows from the answers to a READ.
type view struct {
	answered set
	found    bool           // anything at all
	at       int            // the node whose item is the truth
	truth    *record.Record // what counts; nil: only its mark is known so far
	err      error          // why the truth cannot be read
	members  set            // of the truth
	leaving  set            // of the truth
	unknown  []string       // members that are not in the roster
	homeHas  bool           // the home of the highest epoch answered in it
	clean    bool           // and so did every member and every leaving node
	unaware  set            // leaving nodes that hold an older epoch
	newest   uint64         // the highest revision seen in that epoch
	ahead    bool           // a copy is ahead of the home
}

// ended reports whether the truth is a tombstone.
func (v *view) ended(in []answer) bool { return v.found && in[v.at].tombstone() }

// look is READ 1, 2, 4 and 5.
func look(r *roster, in []answer) view {
	v := view{at: -1}
	for n := range in {
		a := &in[n]
		if a.status == done {
			v.answered = v.answered.with(n)
		}
		switch {
		case !a.hasItem():
		case a.tombstone(): // READ 1: it beats every record
			if v.at < 0 || !in[v.at].tombstone() || in[v.at].record == nil {
				v.at = n
			}
		case v.at < 0 || !in[v.at].tombstone() && a.mark.newerThan(in[v.at].mark):
			v.at = n
		}
	}
	if v.found = v.at >= 0; !v.found {
		return v
	}
	if !v.ended(in) {
		v.chooseTruth(r, in)
	}
	v.truth, v.err = in[v.at].record, in[v.at].err
	if v.truth != nil {
		v.judge(r, in)
	}
	return v
}

// chooseTruth is READ 4 and 5: the home's record, whatever a copy says; of a
// lost home, that of the first member after it that holds its epoch. The order
// is the record's, which is the same for all app servers. As long as no record
// of the epoch was read, nobody knows which node that is.
func (v *view) chooseTruth(r *roster, in []answer) {
	newest := in[v.at].mark
	for n := range in {
		if in[n].record == nil || !in[n].holds(newest) {
			continue
		}
		for i, name := range in[n].record.Members {
			if m := r.index(name); m >= 0 && in[m].holds(newest) {
				v.at, v.homeHas = m, i == 0
				return
			}
		}
	}
}

// judge is READ 2: what the members say beside the truth, and those that leave.
func (v *view) judge(r *roster, in []answer) {
	var strangers []string
	v.members, v.unknown = r.indices(v.truth.Members)
	v.leaving, strangers = r.indices(v.truth.Leaving)
	v.clean = v.homeHas && len(v.unknown) == 0 && len(strangers) == 0
	v.newest = v.truth.Revision
	mark := markOf(v.truth)
	for n := range in {
		a := &in[n]
		if !a.holds(mark) {
			v.clean = v.clean && !(v.members | v.leaving).has(n)
			if v.leaving.has(n) && a.hasItem() {
				v.unaware = v.unaware.with(n)
			}
			continue
		}
		if by := a.mark.revisionsAfter(mark); by > 0 {
			v.ahead = true
			v.newest = max(v.newest, v.truth.Revision+uint64(by))
		}
	}
}

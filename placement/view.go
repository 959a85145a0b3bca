package placement

import (
	"github.com/holdfast-sessions/holdfast/record"
)

// A view is what follows from the answers to a READ.
type view struct {
	answered  set
	found     bool           // anything at all
	at        int            // the node whose item is the truth
	truth     *record.Record // what counts; nil: only its mark is known so far
	err       error          // why the truth cannot be read
	members   set            // of the truth
	leaving   set            // of the truth
	unknown   []string       // members that are not in the roster
	strangers []string       // leaving nodes that are not
	homeHas   bool           // the home of the highest epoch answered in it
	clean     bool           // and so did every member and every leaving node
	unaware   set            // leaving nodes that hold an older epoch, and any that hold what another home has decided in vain
	newest    uint64         // the highest revision seen in that epoch
	ahead     bool           // a copy is ahead of the home
	copied    bool           // a node other than its home holds the truth's epoch
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
	v.arbitrate(r, in)
	told := in[v.at].record
	if told == nil {
		return
	}
	for i, name := range told.Members {
		if n := r.index(name); n >= 0 && in[n].follows(told) {
			v.at, v.homeHas = n, i == 0
			return
		}
	}
}

// arbitrate chooses whose word on the newest epoch is taken. Two servers, each cut
// off from another node, may have decided at the same time at two homes. A copy is
// written after its home has decided, and conditionally, so that each node has that of
// one of the two. A home has lost of which a member has the other's: its change was
// never acknowledged. If both have, the first in list order counts, so that all agree.
func (v *view) arbitrate(r *roster, in []answer) {
	newest, best := in[v.at].mark, claim{}
	for n := range in {
		if a := &in[n]; a.record != nil && a.holds(newest) {
			if c := claimOf(a.record, r, in); !best.made || c.beats(best) {
				v.at, v.copied, best = n, c.copied, c
			}
		}
	}
}

// A claim is that of a home to have decided an epoch.
type claim struct {
	made   bool
	home   int
	lost   bool // a member holds what another home has decided
	copied bool // a node other than the home holds it
}

func claimOf(told *record.Record, r *roster, in []answer) claim {
	c := claim{made: true, home: r.index(home(told)), lost: hasLost(told, r, in)}
	for n := range in {
		c.copied = c.copied || n != c.home && in[n].record != nil && in[n].follows(told)
	}
	return c
}

func (c claim) beats(other claim) bool {
	switch {
	case c.lost != other.lost:
		return other.lost
	case !c.lost && c.copied != other.copied:
		return c.copied
	}
	return c.home < other.home
}

// hasLost reports whether a member of told holds what another home has decided.
func hasLost(told *record.Record, r *roster, in []answer) bool {
	for _, name := range told.Members {
		if n := r.index(name); n >= 0 && in[n].holds(markOf(told)) && !in[n].follows(told) {
			return true
		}
	}
	return false
}

// judge is READ 2: what the members say beside the truth, and those that leave.
func (v *view) judge(r *roster, in []answer) {
	v.members, v.unknown = r.indices(v.truth.Members)
	v.leaving, v.strangers = r.indices(v.truth.Leaving)
	v.clean = v.homeHas && len(v.unknown) == 0 && len(v.strangers) == 0
	v.newest = v.truth.Revision
	for n := range in {
		a := &in[n]
		if !a.follows(v.truth) {
			v.misses(n, a)
			continue
		}
		if by := a.mark.revisionsAfter(markOf(v.truth)); by > 0 {
			v.ahead = true
			v.newest = max(v.newest, v.truth.Revision+uint64(by))
		}
	}
}

// misses notes a node that does not hold the truth's epoch. What another home has
// there in the same epoch is written over only once it is certain who has won.
func (v *view) misses(n int, a *answer) {
	rival, leaves := a.holds(markOf(v.truth)), v.leaving.has(n)
	v.clean = v.clean && !rival && !leaves && !v.members.has(n)
	if leaves && a.hasItem() || rival && v.copied {
		v.unaware = v.unaware.with(n)
	}
}

// unheard reports whether a leaving node did not answer.
func (v *view) unheard() bool { return v.leaving&^v.answered != 0 || len(v.strangers) > 0 }

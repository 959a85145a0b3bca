package placement

import (
	"slices"

	"github.com/holdfast-sessions/holdfast/record"
)

// moves is when COMMIT 3 is due: the home is lost; or a member does not answer
// or is drained, or there are too few, while another node is free.
func (o *op) moves(v view) bool {
	return o.replaces(v) || !v.homeHas
}

func (o *op) replaces(v view) bool {
	return (o.unwanted(v) != 0 || v.members.size() < o.copies) && o.free(v) != 0
}

// unwanted are the members that do not answer, or are drained.
func (o *op) unwanted(v view) set { return v.members & (^v.answered | o.roster.draining) }

// free are the nodes that can take their place.
func (o *op) free(v view) set { return v.answered &^ v.members &^ o.roster.draining &^ o.gone }

// newEpoch is COMMIT 3: it gives next other members. Its home is the node that
// decides. Members that leave are listed, also those that did not answer.
func (o *op) newEpoch(v view, next *record.Record) {
	decider := o.decider(v)
	next.Epoch += stride(v)
	next.Members = o.roster.names(o.filled(o.nextMembers(v, decider)))
	members, _ := o.roster.indices(next.Members)
	next.Leaving = o.roster.namesOf((v.members | v.unaware) &^ members)
}

// leaving are the nodes that stay listed in an epoch that goes on. One that was not
// heard may have decided otherwise by now: as long as it is listed no view is clean,
// so that all nodes are asked, with value, which of the two has a copy.
func (o *op) leaving(v view) []string {
	if v.copied {
		return o.roster.namesOf(v.unaware &^ v.members)
	}
	return append(o.roster.namesOf((v.unaware|v.leaving)&^v.members), v.strangers...)
}

// stride is how far the epoch rises. A change that a fault forces goes further
// than one that is planned, so that of two at once the forced one counts: the
// planned one lacks the answer of the node that the other has decided on.
func stride(v view) uint32 {
	if v.clean { // every member is there: one is drained, or one more is wanted
		return 1
	}
	return 2
}

// decider is the home or, if that is lost, the node of READ 5: they hold a record
// of the newest epoch. A home that is drained leaves the decision to the first
// copy, on which every acknowledged change is, and which no other can be without. So
// does a node that has left: it is not written any more, and would not know.
func (o *op) decider(v view) int {
	if !v.members.has(v.at) {
		return o.firstMember(v)
	}
	if !o.roster.draining.has(v.at) || !v.clean || v.ahead {
		return v.at
	}
	for _, name := range v.truth.Members {
		if n := o.roster.index(name); n != v.at && !o.roster.draining.has(n) {
			return n
		}
	}
	return v.at
}

// firstMember is the first member that answered, or the node that has the truth.
func (o *op) firstMember(v view) int {
	for _, name := range v.truth.Members {
		if n := o.roster.index(name); v.answered.has(n) {
			return n
		}
	}
	return v.at
}

// nextMembers are the node that decides, members that hold something, and others in
// list order after the former home: of two servers that decide at two nodes at the
// same time each needs the other's node, or both the same third one (Arbiter).
func (o *op) nextMembers(v view, decider int) []int {
	wanted := v.answered &^ o.roster.draining
	members := []int{decider}
	take := func(n int) bool {
		if len(members) < o.copies && wanted.has(n) && !slices.Contains(members, n) {
			members = append(members, n)
		}
		return len(members) < o.copies
	}
	for _, name := range v.truth.Members {
		if n := o.roster.index(name); n >= 0 && o.in[n].hasItem() {
			take(n)
		}
	}
	former := o.roster.index(home(v.truth))
	if former < 0 {
		former = decider
	}
	o.roster.choosing(former, wanted, take)
	return members
}

// membersFrom chooses the members of a session that begins at home, of those that
// answer.
func (o *op) membersFrom(home int, answered set) []int {
	return o.filled(o.roster.choose(home, answered, o.copies))
}

// filled are members, and nodes that do not answer now where there are too few: they
// are repaired when they are back.
func (o *op) filled(members []int) []int {
	home := members[0]
	for _, n := range o.roster.choose(home, o.roster.every()&^o.roster.draining, len(o.roster.nodes)) {
		if len(members) < o.copies && !slices.Contains(members, n) {
			members = append(members, n)
		}
	}
	return members
}

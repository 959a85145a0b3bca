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
// decides.
func (o *op) newEpoch(v view, next *record.Record) {
	home := o.decider(v)
	next.Epoch += stride(v)
	next.Members = o.roster.names(o.membersFrom(home, v.answered&^o.roster.draining))
	members, _ := o.roster.indices(next.Members)
	next.Leaving = o.roster.namesOf((v.members | v.unaware) & v.answered &^ members)
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
// copy, on which every acknowledged change is, and which no other can be without.
func (o *op) decider(v view) int {
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

// membersFrom chooses the members of a session at home, of those that answer.
// Nodes that do not answer now fill up the number: they are repaired when they
// are back.
func (o *op) membersFrom(home int, answered set) []int {
	members := o.roster.choose(home, answered, o.copies)
	for _, n := range o.roster.choose(home, o.roster.every()&^o.roster.draining, len(o.roster.nodes)) {
		if len(members) < o.copies && !slices.Contains(members, n) {
			members = append(members, n)
		}
	}
	return members
}

package protocolmodel

// moves is when COMMIT 3 is due: the home is lost, or a member does not answer,
// or is drained, while another node is free.
func (a *actor) moves(v view) bool {
	unwanted := v.truth.Members & (^v.answered | a.of(a.Draining))
	free := v.answered &^ v.truth.Members &^ a.of(a.Draining)
	if unwanted != 0 && free != 0 {
		return true
	}
	emptyHome := v.answered.has(int(v.truth.Home))
	return !v.homeHas && (a.Rules.EmptyHomeSilent || !emptyHome)
}

// newEpoch is COMMIT 3. The node that decides is the home of the new epoch.
func (a *actor) newEpoch(v view, has bool) {
	next := a.change(v, has)
	next.Home = uint8(a.decider(v))
	if a.Rules.NewEpoch {
		next.Epoch += a.stride(v)
	}
	next.Members = a.withAbsent(a.nextMembers(v, int(next.Home)))
	if a.Rules.FenceLeaving {
		next.Leaving = a.leaving(v) &^ next.Members
	}
	a.write(v, next, !a.Rules.DecideFirst)
}

// leaving are the nodes that a new epoch may leave. One that was not heard may have
// decided otherwise by now: as long as it is listed no view is clean, so that all
// nodes are asked, with value, which of the two has a copy.
func (a *actor) leaving(v view) set {
	left := v.truth.Members | v.unaware
	if a.Rules.ListUnheard && !v.clean {
		return left
	}
	return left & v.answered
}

// stride is how far the epoch rises. A change that a fault forces goes further
// than one that is planned, so that of two at once the forced one counts: the
// planned one lacks the answer of the node that the other has decided on.
func (a *actor) stride(v view) uint8 {
	if v.clean || !a.Rules.ForcedFurther { // every member is there: one is drained
		return 1
	}
	return 2
}

// decider is the home or, if that is lost, the node of READ 5: they hold a record
// of the newest epoch. A home that is drained leaves the decision to the first
// copy, on which every acknowledged change is, and which no other can be without. So
// does a node that has left: it is not written any more, and would not know.
func (a *actor) decider(v view) int {
	if !v.truth.Members.has(v.at) && a.Rules.MembersFirst {
		return a.firstMember(v)
	}
	if !a.of(a.Draining).has(v.at) || !v.clean || v.ahead {
		return v.at
	}
	for n := range a.ring(v.at) {
		if v.truth.copies().has(n) && !a.of(a.Draining).has(n) {
			return n
		}
	}
	return v.at
}

// firstMember is the first member that answered, or the node that has the truth.
func (a *actor) firstMember(v view) int {
	for n := range a.ring(int(v.truth.Home)) {
		if v.truth.Members.has(n) && v.answered.has(n) {
			return n
		}
	}
	return v.at
}

// nextMembers are the node that decides, members that hold something, and others in
// list order after the former home: of two servers that decide at two nodes at the same time
// each needs the other's node, or both the same third one (Arbiter).
func (a *actor) nextMembers(v view, decider int) set {
	members := set(0).with(decider)
	wanted := v.answered &^ a.of(a.Draining)
	for _, these := range [3]set{v.truth.Members & a.holding(), a.allNodes().without(int(v.truth.Home)), a.allNodes()} {
		for n := range a.ring(int(v.truth.Home)) {
			if (wanted & these).has(n) && members.size() < a.Copies {
				members = members.with(n)
			}
		}
	}
	return members
}

// holding are the nodes where READ found something.
func (a *actor) holding() set {
	found := set(0)
	for n := range a.Nodes {
		if a.c.In[n].Record.Kind != Nothing {
			found = found.with(n)
		}
	}
	return found
}

// withAbsent fills members up with nodes that do not answer now. They are
// repaired when they are back.
func (a *actor) withAbsent(members set) set {
	for n := range a.Nodes {
		if members.size() < a.Copies {
			members = members.with(n)
		}
	}
	return members
}

package protocolmodel

// commit is COMMIT on what READ found.
func (a *actor) commit(v view) {
	has := a.knows(v.truth) || a.doneAtHome(v)
	switch {
	case !has && a.forgotten(v):
		a.end(failed) // COMMIT 6
	case a.Rules.UnknownIsError && v.truth.Members&a.of(a.Unknown) != 0:
		a.end(failed) // it can neither ask that node nor replace it
	case a.moves(v):
		a.newEpoch(v, has)
	case has && a.settledEverywhere(v):
		a.settled(v)
	default:
		a.sameEpoch(v, has)
	}
}

// knows reports whether r tells that this client's change is in it, if it has one.
func (a *actor) knows(r Record) bool {
	return a.Rules.CommitIDs && r.Commits.has(a.k) || a.c.Completes || a.c.Behind
}

// settledEverywhere reports whether every member that can be reached has this
// client's change, in this epoch.
func (a *actor) settledEverywhere(v view) bool {
	if !v.homeHas || v.copied && v.truth.Leaving&^v.answered != 0 {
		return false // or it is certain by now that nodes that were not heard are not needed
	}
	if a.c.Behind && a.lags(v) || !a.c.Behind && !a.c.Completes && a.Rules.SettleRaised && v.truth.Members&^v.answered != 0 {
		return false
	}
	for n := range a.Nodes {
		if a.Rules.SettleEverywhere && (v.truth.Members | v.unaware).has(n) && v.answered.has(n) &&
			!(a.follows(a.c.In[n], v.truth) && a.same(a.c.In[n].Record, v.truth)) {
			return false
		}
	}
	return true
}

// same reports whether a copy tells of this client's change as its home does.
func (a *actor) same(r, home Record) bool {
	known := a.knows(r) || !a.knows(home) && a.sameState(r, home)
	return r.Kind == home.Kind && r.Target == home.Target && known
}

// sameEpoch is COMMIT 1 and 2.
func (a *actor) sameEpoch(v view, has bool) {
	next := a.change(v, has)
	parallel := v.clean && (!has || a.c.Behind) && !(v.ahead && a.Rules.HomeFirstIfAhead)
	if !v.homeHas { // only where an empty home is filled
		parallel = true
	}
	a.write(v, next, parallel)
}

// change is what follows the truth by this client's change.
func (a *actor) change(v view, has bool) Record {
	next := v.truth
	next.Revision = v.newest + 1
	if a.Rules.RaiseUnheard && v.truth.Members&^v.answered != 0 {
		next.Revision++ // above what a member that was not heard may be ahead
	}
	next.Leaving = v.unaware
	if a.Rules.ListUnheard && !v.copied {
		next.Leaving |= v.truth.Leaving
	}
	if has {
		return next
	}
	if a.c.Role == Renewer {
		return a.alias(next)
	}
	return a.applied(next)
}

// applied is r with this client's change in it.
func (a *actor) applied(r Record) Record {
	r.Applied = r.Applied.plus(a.k)
	if a.Remember == 1 {
		r.Commits = 0
	}
	r.Commits = r.Commits.with(a.k)
	if a.Life.Resets.has(a.k) {
		return a.withIdle(r, a.Life.NewIdle)
	}
	return r
}

// write sends next to its home and, in the same flight or after the home's
// answer, to the copies, and to members that leave: who has read the old record
// there can then not go on from it. Each write names what READ found there.
func (a *actor) write(v view, next Record, parallel bool) {
	read, home := a.c.In, int(next.Home)
	a.enter(deciding)
	if parallel {
		a.c.Phase = writing
	}
	a.c.Next = next
	if a.Rules.UnsureIfSent {
		a.unsure(v.truth.Commits)
	}
	a.send(home, a.homeMessage(read[home], next), false)
	for n := range a.Nodes {
		leaves := next.Leaving.has(n) && read[n].Record.Kind != Nothing
		if v.answered.has(n) && (next.copies().has(n) || leaves) {
			a.send(n, a.copyMessage(read[n], next), !parallel)
		}
	}
	if parallel && !a.Rules.AwaitCopies {
		a.acknowledgeAtHome()
	}
}

// conditional replaces exactly what was read: a version, or nothing.
func conditional(read Answer, next Record) Message {
	m := Message{Verb: cas, Version: read.Version, Record: next}
	if read.Record.Kind == Nothing {
		m.Verb, m.Version.Cas = add, 0
	}
	return m
}

func (a *actor) homeMessage(read Answer, next Record) Message {
	if next.Kind == Alias && !a.Rules.AliasDecides {
		return Message{Verb: put, Record: next}
	}
	return conditional(read, next)
}

func (a *actor) copyMessage(read Answer, next Record) Message {
	if !a.Rules.ConditionalCopies {
		return Message{Verb: put, Record: next}
	}
	return conditional(read, next)
}

// decided is COMMIT 2 and 3 after the answer of the home or the deciding node.
// Only now the copies are written.
func (a *actor) decided() {
	c := a.c
	if c.In[c.Next.Home].Status != done {
		a.again()
		return
	}
	if c.Held == 0 {
		a.acknowledge()
		return
	}
	c.Phase, c.Flight, c.Held = copying, c.Held, 0
	if !a.Rules.AwaitCopies {
		a.confirmed()
	}
}

// acknowledgeAtHome is for when an acknowledgement does not wait for the copies:
// they are nobody's any more, and the home's answer is the last that matters.
func (a *actor) acknowledgeAtHome() {
	home := int(a.c.Next.Home)
	for n := range a.Nodes {
		if n != home && a.c.Flight.has(n) {
			a.s.stray(n, a.k, a.c.Out[n])
			a.c.Flight = a.c.Flight.without(n)
			a.c.Out[n] = Message{}
		}
	}
}

// acknowledge is COMMIT 4: the home and every member said yes. If a member did
// not answer, READ tells whether it is to be replaced, or whether all that can be
// reached have the change. Until then the home's answer may be of another time.
func (a *actor) acknowledge() {
	c := a.c
	if c.In[c.Next.Home].Status != done {
		a.again()
		return
	}
	for n := range a.Nodes {
		switch c.In[n].Status {
		case refused:
			if a.Rules.HeedRefusal {
				a.again()
				return
			}
		case silent:
			if a.Rules.ConfirmDegraded || a.usable()&^c.Next.Members != 0 {
				a.again()
				return
			}
		}
	}
	a.confirmed()
}

// settled is a commit that has nothing to write.
func (a *actor) settled(v view) {
	if a.c.Behind {
		a.extend(v)
		return
	}
	a.confirmed()
}

// confirmed is the end of a commit: the change is stored.
func (a *actor) confirmed() {
	if a.c.Completes {
		a.goThrough(a.c.Next.Target)
		return
	}
	a.end(acknowledged)
}

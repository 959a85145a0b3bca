package protocolmodel

// create is CREATE: home and copies in one flight, where nothing may be yet but
// what an earlier try of ours has written. The id leaves with the acknowledgement,
// so that nobody else knows it before.
func (a *actor) create() {
	able := a.usable() &^ a.c.Failed
	if able == 0 || a.c.Tries > a.Tries {
		a.end(failed)
		return
	}
	next := a.newborn(able)
	a.enter(creating)
	a.c.Next = next
	for n := range a.Nodes {
		if next.Members.has(n) && able.has(n) {
			a.send(n, a.ownMessage(n, next), false)
		}
	}
	if !a.Rules.AwaitCopies {
		a.acknowledgeAtHome()
	}
}

// newborn is the first record of a session on nodes that did not fail so far. Each
// try outruns the one before it, whose messages may still arrive.
func (a *actor) newborn(able set) Record {
	home := int(a.c.Hint)
	for n := range a.ring(home) {
		if able.has(n) {
			home = n
			break
		}
	}
	r := Record{Kind: Session, Epoch: 1, Revision: 1, Home: uint8(home)}
	r = a.withIdle(r, a.Life.Idle)
	if a.Rules.CreateFurther {
		r.Epoch += 2 * a.c.Tries
	}
	r.Members = a.withAbsent(a.firstOf(able, home, a.Copies))
	return a.applied(r)
}

// created acknowledges if all that were asked took it. Else it tries on the others.
func (a *actor) created() {
	before := a.c.Failed
	for n := range a.Nodes {
		switch a.c.In[n].Status {
		case done:
			a.c.Own[n] = a.c.In[n].Version
		case refused, silent:
			a.c.Failed = a.c.Failed.with(n)
		}
	}
	if a.c.Failed == before {
		a.end(acknowledged)
		return
	}
	a.release()
	a.c.Tries++
	a.create()
}

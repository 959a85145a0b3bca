package protocolmodel

// newKey is where the renewal of client k writes.
func (c *Config) newKey(k int) uint8 {
	key := uint8(0)
	for i, role := range c.Roles {
		if role == Renewer {
			key++
		}
		if i == k {
			break
		}
	}
	return key
}

// prepare is the first half of RENEW: the new record on all members, under a key
// that nobody else knows yet. An earlier try's is replaced only if it is still
// as that left it: if not, its alias stands and others have gone through it. Each
// try has its own epoch, since its home and members may be others.
func (a *actor) prepare(v view) {
	next := a.applied(v.truth)
	next.Epoch, next.Revision = 1+a.c.Tries, v.newest+1
	next.Home, next.Leaving = uint8(v.at), 0
	next.Members = a.withAbsent(a.firstOf(v.answered, v.at, a.Copies))
	old, old0 := a.c.In, a.c.Key
	a.enter(preparing)
	a.c.Old, a.c.Next, a.c.Key = old, next, a.newKey(a.k)
	for n := range a.Nodes {
		if next.Members.has(n) && v.answered.has(n) {
			a.send(n, a.ownMessage(n, next), false)
		}
	}
	a.c.Key = old0
}

func (a *actor) ownMessage(n int, next Record) Message {
	if a.c.Own[n] == (Version{}) {
		return Message{Verb: add, Record: next}
	}
	return Message{Verb: cas, Version: a.c.Own[n], Record: next}
}

// prepared is the second half: the alias is a COMMIT in the old place, on what
// READ found there before the new record was made.
func (a *actor) prepared() {
	for n := range a.Nodes {
		switch a.c.In[n].Status {
		case refused: // our alias stands, or a node has lost what we wrote
			a.c.Old = [maxNodes]Answer{}
			a.again()
			return
		case silent:
			a.end(failed)
			return
		case done:
			a.c.Own[n] = a.c.In[n].Version
		}
	}
	a.c.In, a.c.Old, a.c.Next = a.c.Old, [maxNodes]Answer{}, Record{}
	a.commit(a.look(&a.c.In))
}

// alias is what stands in the old place after the renewal.
func (a *actor) alias(r Record) Record {
	return Record{
		Kind: Alias, Epoch: r.Epoch, Revision: r.Revision, Home: r.Home, Members: r.Members, Leaving: r.Leaving,
		Commits: set(0).with(a.k), Target: a.newKey(a.k),
	}
}

// aliased is a READ that finds an alias.
func (a *actor) aliased(v view) {
	switch {
	case a.c.Role == Renewer && v.truth.Target == a.newKey(a.k):
		a.commit(v)
	case a.NewOwner || a.c.Role == Renewer || a.c.Behind:
		a.end(renewed)
	case a.c.Role == Reader || !a.Rules.SettleAlias:
		a.goThrough(v.truth.Target)
	default:
		a.c.Completes = true
		a.commit(v)
	}
}

// goThrough reads under the key that an alias names.
func (a *actor) goThrough(target uint8) {
	a.release()
	a.c.Completes = false
	a.c.Key = target
	a.read()
}

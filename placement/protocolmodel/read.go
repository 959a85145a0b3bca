package protocolmodel

// read is READ in its first flight: to the node of the hint and to the next
// ones in list order.
func (a *actor) read() {
	a.enter(reading)
	asked := 0
	for n := range a.ring(int(a.c.Hint)) {
		if asked < a.askedAtFirst() && a.usable().has(n) {
			m := a.getMessage()
			if asked > 0 && a.probes() {
				m.Verb = probe
			}
			a.send(n, m, false)
			asked++
		}
	}
	if asked == 0 {
		a.act()
	}
}

// getMessage is a READ of one node. A touch does not ride on it.
func (a *actor) getMessage() Message {
	m := Message{Verb: get}
	if !a.Rules.TouchBehind {
		m.Life = a.withIdle(Record{}, a.Life.Idle).TTL
	}
	return m
}

func (a *actor) askedAtFirst() int {
	switch {
	case a.c.Role == Reader && !a.Rules.DoubtHint:
		return 1
	case a.c.Role == Destroyer:
		return a.Nodes
	}
	return a.Copies
}

// probes: a retry looks for its commit id on all members, so it asks for values.
func (a *actor) probes() bool { return a.Probes && a.c.Tries == 0 && !a.c.Behind }

// askOthers is READ 3. A node that was only probed is asked again: its later
// answer counts. It reports whether there is anybody to ask.
func (a *actor) askOthers() bool {
	a.c.Phase = asking
	for n := range a.Nodes {
		if a.c.In[n].Probed && !a.usable().has(n) {
			a.c.In[n] = Answer{Status: silent}
		}
		if (a.c.In[n].Status == unasked || a.c.In[n].Probed) && a.usable().has(n) {
			a.send(n, a.getMessage(), false)
		}
	}
	return a.c.Flight != 0
}

// conclude is what READ finds.
func (a *actor) conclude() {
	v := a.look(&a.c.In)
	if a.c.Phase == reading && !v.truth.ends() && a.doubts(v) {
		if a.askOthers() {
			return
		}
		v = a.look(&a.c.In) // a node that was probed may be gone by now
	}
	if a.homeMayHave(v) {
		a.c.Phase = doubting
		a.send(int(v.truth.Home), a.getMessage(), false)
		return
	}
	switch {
	case !v.found:
		a.nothing(v)
	case a.outdone(v, a.of(a.Unknown)):
		a.end(failed)
	case a.c.Role == Destroyer:
		a.destroy(v)
	case v.truth.ends():
		a.end(gone) // READ 1
	case v.truth.Kind == Alias:
		a.aliased(v)
	case a.over(v, &a.c.In):
		a.expired()
	case a.c.Role == Reader && !a.c.Behind:
		a.served(v)
	case a.c.Role == Renewer:
		a.prepare(v)
	default:
		a.commit(v)
	}
}

// doubts is READ 3: whether the view is too poor to go by, or a member is to be
// replaced.
func (a *actor) doubts(v view) bool {
	if v.found && a.c.Role == Reader && !a.Rules.DoubtHint {
		return false
	}
	if !a.Rules.AskAll && v.found && v.homeHas {
		return false
	}
	if v.truth.Kind == Alias && a.Probes {
		return true // where it leads is in the value
	}
	return !v.clean || v.truth.Members&a.of(a.Draining) != 0
}

// homeMayHave reports whether the home, which has answered without it, may have what a
// copy has: the copy got it later. The product asks until the answer stays the same.
func (a *actor) homeMayHave(v view) bool {
	return a.Rules.HomeAskedAgain && a.c.Phase != doubting && v.found && !v.truth.ends() && !v.homeHas &&
		a.c.In[v.truth.Home].Status == done && a.usable().has(int(v.truth.Home))
}

// nothing is READ 6.
func (a *actor) nothing(v view) {
	if a.c.Behind {
		a.end(missing)
		return
	}
	if v.answered != a.allNodes() && a.Rules.AbsentByAll {
		a.end(failed)
		return
	}
	if a.s.anywhere(a.c.Key) {
		a.s.Lie = toldAbsent
	}
	a.end(missing)
}

// outdone reports whether nodes that did not answer may know better than all that
// did: members, of which none has spoken. The session may have left those that have.
func (c *Config) outdone(v view, unknown set) bool {
	return c.Rules.MembersSpeak && v.truth.Members&v.answered == 0 && v.truth.Members&^unknown != 0
}

// served is what a reader gets. Behind the answer it repairs what it found.
func (a *actor) served(v view) {
	if lie := a.c.betrayedBy(v.truth); lie != noLie {
		a.s.Lie = lie
	}
	if a.outlived(a.s) && !a.excused(a.s) {
		a.s.Lie = servedExpired
	}
	a.s.Unused = 0
	a.c.Behind, a.c.Owes, a.c.OwesEnd = true, 0, false
	if v.clean && !a.lags(v) || !a.Rules.ReadRepair {
		a.extend(v)
		return
	}
	a.commit(v)
}

// lags reports whether a member holds an older revision than the truth, and no commit
// is under way that brings it the newer one: the product waits for as long as one can be.
func (a *actor) lags(v view) bool {
	for k := range a.Roles {
		if c := &a.s.Clients[k]; k != a.k && c.Phase != waiting && !c.Phase.over() {
			return false
		}
	}
	for n := range a.Nodes {
		got := a.c.In[n]
		if v.truth.Members.has(n) && holds(got, v.truth.Epoch) && got.Record.Revision < v.truth.Revision {
			return true
		}
	}
	return false
}

// expired is a READ of a session that was not used for too long.
func (a *actor) expired() {
	if a.inUse(a.s) {
		a.s.Lie = toldExpired
	}
	a.end(missing)
}

// again is COMMIT 5: READ, then the same change under the same commit id.
func (a *actor) again() {
	for n := range a.Nodes {
		if a.c.In[n].Status == silent {
			a.unsure(0)
		}
	}
	a.saidByHome()
	a.release()
	a.c.Tries++
	if a.c.Tries > a.Tries {
		a.end(failed)
		return
	}
	a.read()
}

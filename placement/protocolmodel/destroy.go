package protocolmodel

// destroy is DESTROY on what READ found on all nodes: a tombstone in the place of
// each item. Nobody's write can follow it, since each names what it replaces; and
// it cannot cover the alias of a renewal that this client has not seen.
func (a *actor) destroy(v view) {
	target, led := a.ledOn()
	switch {
	case v.truth.Kind == Alias:
		a.aliased(v) // which stands on all members before we go on
	case v.truth.ends() && led:
		a.c.Next.Target = target // a renewal met an earlier try of ours; it goes on behind it
		a.bury(v)
	default:
		a.bury(v)
	}
}

// ledOn finds an alias beside tombstones.
func (a *actor) ledOn() (target uint8, found bool) {
	for n := range a.Nodes {
		if r := a.c.In[n].Record; r.Kind == Alias {
			return r.Target, true
		}
	}
	return 0, false
}

// bury writes tombstones where none are. If a copy holds something else than its
// home, such as an alias of which nobody knows whether it has won, the home is
// first, as in COMMIT 2.
func (a *actor) bury(v view) {
	read := a.c.In
	parallel := v.truth.ends() || !v.ahead && !a.sawAlias()
	a.enter(burying)
	a.c.Next.Home, a.c.Next.TTL = uint8(v.at), a.endTTL(v.truth)
	a.c.Owed = 0
	for n := range a.Nodes {
		a.owe(n, read[n].Status != done)
		if read[n].Status == done && !read[n].Record.ends() && a.buries(v, n, read[n].Record) {
			a.send(n, a.tombstone(read[n]), !parallel && n != v.at)
		}
	}
	if a.c.Flight == 0 {
		a.ended()
	}
}

func (a *actor) sawAlias() bool {
	_, led := a.ledOn()
	return led && a.Rules.ConditionalTombstones
}

// buries says whether node n gets a tombstone in the place of r.
func (a *actor) buries(v view, n int, r Record) bool {
	switch {
	case v.truth.ends():
		return r.Kind != Alias // an earlier try's; the others follow
	case !a.Rules.TombstonesOnCopies:
		return n == v.at
	case !a.Rules.TombstonesOnAll:
		return v.truth.Members.has(n)
	}
	return true
}

func (a *actor) tombstone(read Answer) Message {
	grave := Record{Kind: Tombstone, TTL: a.c.Next.TTL}
	switch {
	case !a.Rules.Tombstones:
		return Message{Verb: remove}
	case !a.Rules.ConditionalTombstones:
		return Message{Verb: put, Record: grave}
	}
	return conditional(read, grave)
}

// buried acknowledges when every node that answers has the tombstone. The
// others get it when they are back. If one did not answer, or an earlier try was
// refused, READ comes first, as in COMMIT 4: until then the tombstones of the
// others may be of another time.
func (a *actor) buried() {
	home := a.c.In[a.c.Next.Home].Status
	if a.c.Held != 0 && home == done {
		a.c.Flight, a.c.Held = a.c.Held, 0
		return
	}
	heard := a.heard()
	switch {
	case a.c.Held != 0, heard[refused], !heard[done], a.Rules.ConfirmBurial && (heard[silent] || a.c.Tries > 0):
		a.again()
	default:
		a.ended()
	}
}

// heard says which answers there are.
func (a *actor) heard() (any [silent + 1]bool) {
	for n := range a.Nodes {
		a.owe(n, a.c.In[n].Status == silent)
		any[a.c.In[n].Status] = true
	}
	return any
}

// ended is the end under this key; what a renewal has moved is ended behind it.
func (a *actor) ended() {
	if target := a.c.Next.Target; target != 0 {
		a.goThrough(target)
		return
	}
	a.end(acknowledged)
}

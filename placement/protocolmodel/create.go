package protocolmodel

// create is CREATE: home and copies in one flight, where nothing may be yet. The
// id leaves with the acknowledgement, so that nobody else knows it before.
func (a *actor) create() {
	home := int(a.c.Hint)
	next := a.applied(Record{
		Kind: Session, Epoch: 1, Revision: 1, Home: uint8(home),
		Members: a.firstOf(a.allNodes(), home, a.Copies),
	})
	a.enter(creating)
	a.c.Next = next
	for n := range a.Nodes {
		if next.Members.has(n) {
			a.send(n, Message{Verb: add, Record: next}, false)
		}
	}
	if !a.Rules.AwaitCopies {
		a.acknowledgeAtHome()
	}
}

// created acknowledges if all members took it. Else there is another id to try with.
func (a *actor) created() {
	for n := range a.Nodes {
		if s := a.c.In[n].Status; s != unasked && s != done {
			a.end(failed)
			return
		}
	}
	a.end(acknowledged)
}

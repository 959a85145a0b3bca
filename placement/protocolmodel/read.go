package protocolmodel

// An actor is a client at its turn: all that it waited for has come.
type actor struct {
	*model
	s *State
	c *Client
	k int
}

// avoids are the nodes that its server has found not to answer.
func (a *actor) avoids() set { return a.s.Avoids[a.server(a.k)] }

// usable are the others.
func (a *actor) usable() set { return a.allNodes() &^ a.avoids() }

// of returns what a list by server says for this client's.
func (a *actor) of(lists []set) set { return listed(lists, a.server(a.k)) }

func listed(lists []set, server int) set {
	if server < len(lists) {
		return lists[server]
	}
	return 0
}

// send puts m on its way to n, or holds it back until the deciding node has answered.
func (a *actor) send(n int, m Message, held bool) {
	m.Key = a.c.Key
	a.c.Out[n] = m
	if held {
		a.c.Held = a.c.Held.with(n)
		return
	}
	a.c.Flight = a.c.Flight.with(n)
	a.c.In[n] = Answer{}
}

// enter begins a phase that waits for new answers.
func (a *actor) enter(p phase) {
	a.c.Phase = p
	a.c.In = [maxNodes]Answer{}
}

// begin is what a client does first.
func (a *actor) begin() {
	if a.c.Role == Creator {
		a.create()
		return
	}
	a.read()
}

// read is READ in its first flight: to the node of the hint and to the next
// ones in list order.
func (a *actor) read() {
	a.enter(reading)
	asked := 0
	for n := range a.ring(int(a.c.Hint)) {
		if asked < a.askedAtFirst() && a.usable().has(n) {
			a.send(n, Message{Verb: get}, false)
			asked++
		}
	}
	if asked == 0 {
		a.act()
	}
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

// askOthers is READ 3. It reports whether there is anybody to ask.
func (a *actor) askOthers() bool {
	a.c.Phase = asking
	for n := range a.Nodes {
		if a.c.In[n].Status == unasked && a.usable().has(n) {
			a.send(n, Message{Verb: get}, false)
		}
	}
	return a.c.Flight != 0
}

// act goes on with all answers of a phase.
func (a *actor) act() {
	switch a.c.Phase {
	case reading, asking:
		a.conclude()
	case writing:
		a.acknowledge()
	case deciding:
		a.decided()
	case copying:
		a.acknowledge()
	case burying:
		a.buried()
	case creating:
		a.created()
	case preparing:
		a.prepared()
	}
}

// conclude is what READ finds.
func (a *actor) conclude() {
	v := a.look(&a.c.In)
	if a.c.Phase == reading && !v.truth.ends() && a.doubts(v) && a.askOthers() {
		return
	}
	switch {
	case !v.found:
		a.nothing(v)
	case a.c.Role == Destroyer:
		a.destroy(v)
	case v.truth.ends():
		a.end(gone) // READ 1
	case v.truth.Kind == Alias:
		a.aliased(v)
	case a.c.Role == Reader:
		a.served(v.truth)
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
	return !v.clean || v.truth.Members&a.of(a.Draining) != 0
}

// nothing is READ 6.
func (a *actor) nothing(v view) {
	if v.answered != a.allNodes() && a.Rules.AbsentByAll {
		a.end(failed)
		return
	}
	if a.s.anywhere(a.c.Key) {
		a.s.Lie = toldAbsent
	}
	a.end(missing)
}

// served is what a reader gets.
func (a *actor) served(r Record) {
	if lie := a.c.betrayedBy(r); lie != noLie {
		a.s.Lie = lie
	}
	a.end(acknowledged)
}

// again is COMMIT 5: READ, then the same change under the same commit id.
func (a *actor) again() {
	for n := range a.Nodes {
		if a.c.In[n].Status == silent {
			a.unsure()
		}
	}
	a.release()
	a.c.Tries++
	if a.c.Tries > a.Tries {
		a.end(failed)
		return
	}
	a.read()
}

// release lets go of what was held back or is still under way.
func (a *actor) release() {
	for n := range a.Nodes {
		if a.c.Flight.has(n) {
			a.s.stray(n, a.k, a.c.Out[n])
		}
	}
	a.c.Flight, a.c.Held = 0, 0
	a.c.Out = [maxNodes]Message{}
	a.c.Next = Record{}
	a.c.In = [maxNodes]Answer{}
}

// end is the answer to the request.
func (a *actor) end(p phase) {
	a.release()
	a.c.settle(p)
}

// settle forgets all that has no meaning any more, so that equal states are equal.
func (c *Client) settle(p phase) { *c = Client{Role: c.Role, Phase: p, Key: c.Key} }

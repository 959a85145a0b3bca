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

// act goes on with all answers of a phase.
func (a *actor) act() {
	switch a.c.Phase {
	case reading, asking, doubting:
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
	case touching:
		a.touched()
	case checking:
		a.checked()
	}
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

// end is the answer to the request, unless that was given before.
func (a *actor) end(p phase) {
	switch {
	case a.c.Behind && p != departed:
		p = acknowledged
	case p == acknowledged && a.c.Role != Destroyer:
		a.s.Unused = 0
	}
	a.release()
	switch {
	case !a.Faults.Used:
	case !a.c.Recent:
		a.s.unuse() // what it has left behind is still to be used
	case p == acknowledged:
		a.s.Used = true
	}
	a.c.settle(p)
}

// settle forgets all that has no meaning any more, so that equal states are equal.
func (c *Client) settle(p phase) {
	*c = Client{Role: c.Role, Phase: p, Key: c.Key, Owed: c.Owed, OwedTTL: c.OwedTTL}
}

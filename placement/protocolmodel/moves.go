package protocolmodel

// An event is a kind of thing that can happen.
type event uint8

const (
	begins     event = iota // a client begins, with a hint and a key
	arrives                 // a message is executed and its answer comes
	falls                   // no answer comes; the next message to that node may fare better
	cutOff                  // no answer comes, and the server asks this node no more
	nodeDies                // it stays down
	nodeEmpty               // it restarts, and is empty
	nodeEvicts              // it drops its items and goes on
	serverDies              // with all its clients
	lands                   // a message arrives that nobody waits for any more
	passes                  // time
	hangs                   // a node does nothing for a while
	wakes                   // it goes on
	returns                 // and is asked again
	repeats                 // it gets a tombstone that it missed
)

// A move is one thing that happens.
type move struct {
	event event
	who   uint8 // client, server or stray
	node  uint8 // of begins: the hint
	key   uint8
}

// moves calls visit with all that can happen in s.
func (m *model) moves(s *State, visit func(move)) {
	for k := range m.Roles {
		m.movesOf(s, k, visit)
	}
	for i := range s.Strays {
		if st := &s.Strays[i]; st.Message.Verb != none && !s.Hung.has(int(st.Node)) && takesEffect(s.Nodes[st.Node], st.Message, &m.Rules) {
			visit(move{event: lands, who: uint8(i), node: st.Node})
		}
	}
	if m.still(s) {
		visit(move{event: passes})
	}
	m.hangings(s, visit)
	m.repeats(s, visit)
	m.crashes(s, visit)
	m.deaths(s, visit)
}

// movesOf are those of client k.
func (m *model) movesOf(s *State, k int, visit func(move)) {
	c := &s.Clients[k]
	if c.Phase == waiting && s.idIsKnown() {
		m.beginnings(s, k, visit)
	}
	for n := range m.Nodes {
		if !c.Flight.has(n) {
			continue
		}
		mv := move{event: arrives, who: uint8(k), node: uint8(n)}
		visit(mv)
		if s.Silences > 0 && m.struck(n) && !s.Nodes[n].Down && !s.Hung.has(n) {
			mv.event = falls
			visit(mv)
			mv.event = cutOff
			visit(mv)
		}
	}
}

// beginnings are those of client k: with any hint, and with the new key once
// that was given to somebody.
func (m *model) beginnings(s *State, k int, visit func(move)) {
	if s.Clients[k].Role != Reader {
		visit(move{event: begins, who: uint8(k), node: m.Hint})
		return
	}
	for hint := range m.Nodes {
		visit(move{event: begins, who: uint8(k), node: uint8(hint)})
		for r := range m.Roles {
			if m.Roles[r] == Renewer && s.Clients[r].Phase == acknowledged {
				visit(move{event: begins, who: uint8(k), node: uint8(hint), key: m.newKey(r)})
			}
		}
	}
}

// idIsKnown: a session that is being created is nobody's yet.
func (s *State) idIsKnown() bool {
	for k := range s.Clients {
		if s.Clients[k].Role == Creator && s.Clients[k].Phase != acknowledged {
			return false
		}
	}
	return true
}

// apply makes mv happen.
func (m *model) apply(s *State, mv move) {
	n := int(mv.node)
	switch mv.event {
	case begins:
		m.begin(s, mv)
	case arrives:
		if s.Hung.has(n) {
			m.vain(s, mv)
			break
		}
		c := &s.Clients[mv.who]
		m.answer(s, mv, s.Nodes[n].execute(c.Out[n], &m.Rules))
	case hangs, wakes, returns:
		m.hang(s, mv.event, n)
	case repeats:
		m.repeat(s, mv)
	case falls, cutOff:
		m.silence(s, mv)
	case nodeDies, nodeEmpty, nodeEvicts:
		s.crash(&s.Nodes[n], mv.event)
	case serverDies:
		s.Deaths--
		m.serverDies(s, int(mv.who))
	case passes:
		m.tick(s)
	case lands:
		s.Late = s.Late || s.Back.has(n)
		s.Nodes[n].execute(s.Strays[mv.who].Message, &m.Rules)
		s.Strays[mv.who] = Stray{}
	}
	m.tidy(s)
}

func (m *model) begin(s *State, mv move) {
	c := &s.Clients[mv.who]
	c.Hint, c.Key = mv.node, mv.key
	if m.Faults.Used {
		c.Recent = true
	}
	if c.Role == Reader {
		s.owes(c, m.Start)
	}
	a := m.actor(s, int(mv.who))
	a.begin()
}

// answer gives a client an answer, and lets it go on if it was the last.
func (m *model) answer(s *State, mv move, got Answer) {
	c, n := &s.Clients[mv.who], int(mv.node)
	if s.Nodes[n].Down {
		server := m.server(int(mv.who))
		s.Avoids[server] = s.Avoids[server].with(n)
	}
	c.In[n] = got
	c.Out[n] = Message{}
	c.Flight = c.Flight.without(n)
	if c.Flight == 0 {
		a := m.actor(s, int(mv.who))
		a.act()
	}
}

func (m *model) actor(s *State, k int) actor {
	return actor{model: m, s: s, c: &s.Clients[k], k: k}
}

package protocolmodel

// A node that hangs takes messages, and does them when it goes on. Who has waited
// for it in vain asks it no more until it is back: first it does what is late,
// then it gets the tombstones that it missed, and only then it is asked again.

// hangings are the beginnings and ends of hangs.
func (m *model) hangings(s *State, visit func(move)) {
	for n := range m.Nodes {
		mv := move{node: uint8(n)}
		switch {
		case s.Nodes[n].Down:
		case s.Hung.has(n):
			mv.event = wakes
			visit(mv)
		case s.Back.has(n):
			mv.event = returns
			if !m.Rules.TombstonesFirst || !m.owed(s, n) {
				visit(mv)
			}
		case s.Hangs > 0 && m.struck(n) && m.timeForAnother(s):
			mv.event = hangs
			visit(mv)
		}
	}
}

// hang makes n stop, go on, or be asked again.
func (m *model) hang(s *State, how event, n int) {
	switch how {
	case hangs:
		s.Hangs--
		s.unuse()
		s.Hung = s.Hung.with(n)
	case wakes:
		s.Hung, s.Back = s.Hung.without(n), s.Back.with(n)
	case returns:
		s.Back = s.Back.without(n)
		s.dropStrays(n)
		s.unuse()
		for server := range m.Servers {
			s.Avoids[server] = s.Avoids[server].without(n) | listed(m.Unknown, server)
		}
	}
}

// dropStrays loses what has not come to n.
func (s *State) dropStrays(n int) {
	for i := range s.Strays {
		if int(s.Strays[i].Node) == n {
			s.Strays[i] = Stray{}
		}
	}
}

// vain is a message to a node that hangs.
func (m *model) vain(s *State, mv move) {
	server := m.server(int(mv.who))
	s.Avoids[server] = s.Avoids[server].with(int(mv.node))
	s.stray(int(mv.node), int(mv.who), s.Clients[mv.who].Out[mv.node])
	m.answer(s, mv, Answer{Status: silent})
}

package protocolmodel

// start is the first state. Writers and destroyers of a session that exists
// have sent their READ: that changes nothing, and spares the moves.
func (m *model) start() State {
	s := State{Crashes: m.Faults.Crashes, Silences: m.Faults.Silences, Hangs: m.Faults.Hangs, Deaths: m.Faults.Deaths}
	s.Ticks = m.Life.Ticks
	for n := range m.Nodes {
		s.Nodes[n].Boot = 1
	}
	for server := range m.Servers {
		s.Avoids[server] = listed(m.Unknown, server) | listed(m.CutOff, server)
	}
	m.history(&s)
	for k, role := range m.Roles {
		s.Clients[k].Role = role
	}
	for k, role := range m.Roles {
		if role == Creator || role != Reader && s.idIsKnown() && m.Life.Idle == 0 {
			m.apply(&s, move{event: begins, who: uint8(k), node: m.Hint})
		}
	}
	if m.Start == Parted {
		m.part(&s)
	}
	return s
}

// part is what Parted tells.
func (m *model) part(s *State) {
	m.apply(s, move{event: arrives, who: uint8(len(m.Roles) - 1), node: 1})
	next := s.Nodes[1].Items[0].Record
	next.Epoch, next.Revision, next.Home = next.Epoch+2, next.Revision+2, 1
	s.Nodes[1].execute(Message{Verb: put, Record: next}, &m.Rules)
}

// history is what has happened before.
func (m *model) history(s *State) {
	if m.Start == Unborn {
		return
	}
	first := Record{Kind: Session, Epoch: 1, Revision: 1, Members: m.firstOf(m.allNodes(), 0, m.Copies)}
	first = m.withIdle(first, m.Life.Idle)
	m.write(s, first)
	switch m.Start {
	case Moved:
		m.write(s, m.movedOn(first))
	case Fenced:
		next := m.movedOn(first)
		next.Leaving = set(0).with(0)
		m.write(s, next)
	case Buried:
		m.write(s, Record{Kind: Tombstone, Members: m.allNodes().without(0)})
	case Emptied:
		s.Nodes[m.Copies-1].empty()
	}
}

// movedOn is first, moved from n1 to the others.
func (m *model) movedOn(first Record) Record {
	next := first
	next.Epoch, next.Revision, next.Home = 2, 2, 1
	next.Members = m.firstOf(m.allNodes().without(0), 1, m.Copies)
	return next
}

// write puts r on all its members, and on those that leave.
func (m *model) write(s *State, r Record) {
	stored := r
	if r.ends() {
		stored = Record{Kind: Tombstone}
	}
	for n := range m.Nodes {
		if (r.Members | r.Leaving).has(n) {
			s.Nodes[n].execute(Message{Verb: put, Record: stored}, &m.Rules)
		}
	}
}

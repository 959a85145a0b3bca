package protocolmodel

// still reports whether time can pass: a tick is long beside a request and beside
// a node's return. What is late waits at a node that hangs, or is lost.
func (m *model) still(s *State) bool {
	for k := range m.Roles {
		if s.Clients[k].Flight != 0 {
			return false
		}
	}
	return s.Ticks > 0 && s.Back == 0 && !m.canRepeat(s)
}

// tick makes time pass on all nodes. All servers learn which ones hang.
func (m *model) tick(s *State) {
	s.Ticks--
	s.Unused = min(s.Unused+1, max(m.Life.Idle, m.Life.NewIdle)+1)
	for n := range m.Nodes {
		s.Nodes[n].age()
		if !s.Hung.has(n) {
			s.dropStrays(n)
		}
	}
	m.tire(s)
	for server := range m.Servers {
		s.Avoids[server] |= s.Hung
	}
}

// age is one tick on a node.
func (n *Node) age() {
	for key := range n.Items {
		it := &n.Items[key]
		if it.Left == 0 {
			continue // nothing, or for ever
		}
		if it.Left--; it.Left == 0 {
			*it = Item{}
		}
	}
}

// inUse reports whether somebody used the session within its idle timeout.
func (m *model) inUse(s *State) bool {
	shorter, _ := m.idle(s)
	return s.Unused <= shorter
}

// outlived reports whether nobody did.
func (m *model) outlived(s *State) bool {
	_, longer := m.idle(s)
	return s.Unused > longer
}

// idle returns the idle timeout: two, while a change of it is under way.
func (m *model) idle(s *State) (shorter, longer uint8) {
	shorter, longer = m.Life.Idle, m.Life.Idle
	for k := range m.Roles {
		switch {
		case !m.Life.Resets.has(k) || s.Clients[k].Phase == waiting:
		case s.Clients[k].Phase == acknowledged:
			return m.Life.NewIdle, m.Life.NewIdle
		default:
			shorter, longer = min(shorter, m.Life.NewIdle), max(longer, m.Life.NewIdle)
		}
	}
	return shorter, longer
}

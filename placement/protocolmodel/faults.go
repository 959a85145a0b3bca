package protocolmodel

// struck says whether faults strike node n.
func (m *model) struck(n int) bool { return m.Faults.Node == 0 || int(m.Faults.Node) == n+1 }

func (m *model) crashes(s *State, visit func(move)) {
	if s.Crashes == 0 || m.Faults.Repaired && s.Crashes < m.Faults.Crashes && !m.repaired(s) {
		return
	}
	for n := range m.Nodes {
		if s.Nodes[n].Down || !m.struck(n) {
			continue
		}
		visit(move{event: nodeDies, node: uint8(n)})
		visit(move{event: nodeEmpty, node: uint8(n)})
		if m.Faults.Evict {
			visit(move{event: nodeEvicts, node: uint8(n)})
		}
	}
}

// repaired: the session is on as many nodes as it should be, all of one mind,
// and no READ is under way that began before that.
func (m *model) repaired(s *State) bool {
	r := m.truthNow(s, 0)
	for n := range m.Nodes {
		if r.Members.has(n) && s.Nodes[n].Items[0].Record != r || !m.Faults.MidRead && m.wasReadBefore(s, n) {
			return false
		}
	}
	return r.Kind == Session && r.Members.size() == m.Copies
}

// wasReadBefore: somebody still goes by what node n said when it had another past
// or nothing.
func (m *model) wasReadBefore(s *State, n int) bool {
	for k := range m.Roles {
		c, now := &s.Clients[k], &s.Nodes[n]
		old := c.In[n].Version.Boot != now.Boot || c.In[n].Record.Kind != now.Items[c.Key].Record.Kind
		if (c.Phase == reading || c.Phase == asking) && c.In[n].Status == done && old {
			return true
		}
	}
	return false
}

func (m *model) deaths(s *State, visit func(move)) {
	if s.Deaths == 0 {
		return
	}
	for server := range m.Servers {
		for k := range m.Roles {
			if m.server(k) == server && s.Clients[k].Flight != 0 {
				visit(move{event: serverDies, who: uint8(server)})
				break
			}
		}
	}
}

// silence is an answer that does not come in time. What was asked may be done later.
func (m *model) silence(s *State, mv move) {
	s.Silences--
	s.stray(int(mv.node), int(mv.who), s.Clients[mv.who].Out[mv.node])
	if mv.event == cutOff {
		server := m.server(int(mv.who))
		s.Avoids[server] = s.Avoids[server].with(int(mv.node))
	}
	m.answer(s, mv, Answer{Status: silent})
}

// serverDies ends all clients of a server. It starts again, and asks every node
// of its list.
func (m *model) serverDies(s *State, server int) {
	s.Avoids[server] = listed(m.Unknown, server)
	for k := range m.Roles {
		if m.server(k) != server || s.Clients[k].Phase.over() || s.Clients[k].Phase == waiting {
			continue
		}
		a := m.actor(s, k)
		a.end(departed)
	}
}

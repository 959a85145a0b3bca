package protocolmodel

// struck says whether faults strike node n.
func (m *model) struck(n int) bool { return m.Faults.Node == 0 || int(m.Faults.Node) == n+1 }

func (m *model) crashes(s *State, visit func(move)) {
	if s.Crashes == 0 || !m.timeForAnother(s) {
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

func (s *State) crash(n *Node, how event) {
	s.Crashes--
	s.unuse()
	if how == nodeEvicts {
		n.evict()
		return
	}
	n.empty()
	n.Down = how == nodeDies
}

// unuse: only a request that begins from now on is a use.
func (s *State) unuse() {
	s.Used = false
	for k := range s.Clients {
		s.Clients[k].Recent = false
	}
}

// timeForAnother says whether the faults so far are over.
func (m *model) timeForAnother(s *State) bool {
	if s.Crashes == m.Faults.Crashes && s.Silences == m.Faults.Silences && s.Hangs == m.Faults.Hangs {
		return true
	}
	if m.Faults.Used && !(s.Used && s.away() == 0 && m.up(s).size() >= m.Copies && !m.midRead(s) && !s.straggling()) {
		return false
	}
	return !m.Faults.Repaired || m.repaired(s)
}

// straggling: a request that began before the last fault, or before its end, is still
// under way.
func (s *State) straggling() bool {
	for k := range s.Clients {
		if c := &s.Clients[k]; c.Phase != waiting && !c.Phase.over() && !c.Recent {
			return true
		}
	}
	return false
}

// up are the nodes that are not down.
func (m *model) up(s *State) set {
	nodes := set(0)
	for n := range m.Nodes {
		if !s.Nodes[n].Down {
			nodes = nodes.with(n)
		}
	}
	return nodes
}

// repaired: every node that is up is asked by every server, and the session is on
// as many as it should be, all of one mind; or destroyed, and no tombstone is on
// its way or waiting. And no READ is under way that began before that.
func (m *model) repaired(s *State) bool {
	if s.away() != 0 || m.midRead(s) {
		return false
	}
	for n := range m.Nodes {
		if m.owed(s, n) || !s.Nodes[n].Down && m.avoided(s, n) {
			return false
		}
	}
	r := m.truthNow(s, 0)
	return r.ends() && !m.burying(s) || r.Kind == Session && r.Members.size() == m.Copies && s.agree(r)
}

// avoided: a server that has n in its list does not ask it.
func (m *model) avoided(s *State, n int) bool {
	for server := range m.Servers {
		if s.Avoids[server].has(n) && !listed(m.Unknown, server).has(n) {
			return true
		}
	}
	return false
}

// burying: somebody is destroying the session.
func (m *model) burying(s *State) bool {
	for k, role := range m.Roles {
		if role == Destroyer && s.Clients[k].Flight != 0 {
			return true
		}
	}
	return false
}

// agree reports whether all members hold r.
func (s *State) agree(r Record) bool {
	for n := range s.Nodes {
		if r.Members.has(n) && s.Nodes[n].Items[0].Record != r {
			return false
		}
	}
	return true
}

// midRead: a READ is under way that began before that.
func (m *model) midRead(s *State) bool {
	for n := range m.Nodes {
		if !m.Faults.MidRead && m.wasReadBefore(s, n) {
			return true
		}
	}
	return false
}

// wasReadBefore: somebody still goes by what node n said when it had another past
// or nothing.
func (m *model) wasReadBefore(s *State, n int) bool {
	for k := range m.Roles {
		c, now := &s.Clients[k], &s.Nodes[n]
		old := c.In[n].Version.Boot != now.Boot || c.In[n].Record.Kind != now.Items[c.Key].Record.Kind
		if (c.Phase == reading || c.Phase == asking || c.Phase == doubting) && c.In[n].Status == done && old {
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
			if m.server(k) == server && (s.Clients[k].Flight != 0 || s.Clients[k].Owed != 0) {
				visit(move{event: serverDies, who: uint8(server)})
				break
			}
		}
	}
}

// silence is an answer that does not come in time. What was asked may be done later.
func (m *model) silence(s *State, mv move) {
	s.Silences--
	s.unuse()
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
		if m.server(k) == server {
			s.Clients[k].Owed, s.Clients[k].OwedTTL = 0, 0
		}
		if m.server(k) != server || s.Clients[k].Phase.over() || s.Clients[k].Phase == waiting {
			continue
		}
		a := m.actor(s, k)
		a.end(departed)
	}
}

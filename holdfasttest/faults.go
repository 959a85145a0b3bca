package holdfasttest

// KillServer ends an app server as kill -9 does: its manager is not shut down,
// its requests under way get no answer. What it had sent to a node that hangs
// still happens when that goes on.
func (s *Site) KillServer(name string) {
	s.mustHave(name)
	s.mu.Lock()
	killed := s.living[name]
	delete(s.living, name)
	s.mu.Unlock()
	if killed != nil {
		killed.kill()
	}
}

// ReviveServer starts an app server that was killed, with a new manager.
func (s *Site) ReviveServer(name string) {
	s.t.Helper()
	if s.server(name) == nil {
		s.start(name)
	}
}

// SetNodes gives an app server these nodes, in this order, from its next start
// on. Without it a server knows all nodes.
func (s *Site) SetNodes(server string, nodes ...string) {
	s.mustHave(server)
	for _, name := range nodes {
		s.Node(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists[server] = nodes
}

// KillNode ends a node as kill -9 does: its memory is gone, and calls are
// refused at once.
func (s *Site) KillNode(name string) { s.Node(name).Kill() }

// ReviveNode starts a killed node again. It is empty.
func (s *Site) ReviveNode(name string) { s.Node(name).Revive() }

// FreezeNode stops a node as SIGSTOP does: it takes calls and answers none.
func (s *Site) FreezeNode(name string) { s.Node(name).Freeze() }

// ThawNode lets a frozen node go on. What was sent to it meanwhile happens now,
// and it still has what it had.
func (s *Site) ThawNode(name string) { s.Node(name).Thaw() }

// EmptyNode loses all items of a node, as flush_all does.
func (s *Site) EmptyNode(name string) { s.Node(name).Empty() }

// Cut makes a node unreachable for one app server.
func (s *Site) Cut(server, node string) {
	s.mustHave(server)
	s.Node(node).Cut(server)
}

// Mend undoes Cut.
func (s *Site) Mend(server, node string) {
	s.mustHave(server)
	s.Node(node).Mend(server)
}

package protocolmodel

// A tombstone that did not reach a node waits in its destroyer's server.

// owe notes who misses the tombstone: everybody who has not said that it is there,
// whether it seems to be well or not.
func (a *actor) owe(n int, missing bool) {
	if missing && a.Rules.QueueTombstones && !a.of(a.Unknown).has(n) {
		a.c.Owed, a.c.OwedTTL = a.c.Owed.with(n), a.c.Next.TTL
	}
}

// owed reports whether a tombstone waits for n.
func (m *model) owed(s *State, n int) bool {
	for k := range m.Roles {
		if s.Clients[k].Owed.has(n) {
			return true
		}
	}
	return false
}

// repeats are the tombstones that can be brought to a node now.
func (m *model) repeats(s *State, visit func(move)) {
	for k := range m.Roles {
		for n := range m.Nodes {
			if s.Clients[k].Owed.has(n) && m.reaches(s, m.server(k), n) {
				visit(move{event: repeats, who: uint8(k), node: uint8(n)})
			}
		}
	}
}

// reaches reports whether server can ask n: one that is back is, for this alone.
func (m *model) reaches(s *State, server, n int) bool {
	return !s.Nodes[n].Down && !s.Hung.has(n) && (s.Back.has(n) || !s.Avoids[server].has(n))
}

func (m *model) canRepeat(s *State) (can bool) {
	m.repeats(s, func(move) { can = true })
	return can
}

// repeat brings a tombstone to a node that missed it, in the place of what lies
// there. It is a read and a write on its version, again until that fits: nobody
// can come between them in the end.
func (m *model) repeat(s *State, mv move) {
	c, n := &s.Clients[mv.who], &s.Nodes[mv.node]
	c.Owed = c.Owed.without(int(mv.node))
	if kind := n.Items[c.Key].Record.Kind; kind == Session || kind == Nothing {
		n.execute(Message{Verb: put, Key: c.Key, Record: Record{Kind: Tombstone, TTL: c.OwedTTL}}, &m.Rules)
	}
}

// tire is a queue that gives its tombstones up.
func (m *model) tire(s *State) {
	for k := range m.Roles {
		c := &s.Clients[k]
		if m.Rules.TombstonesWait || c.Owed == 0 {
			continue
		}
		if c.OwedTTL--; c.OwedTTL == 0 {
			c.Owed = 0
		}
	}
}

package protocolmodel

// stray lets go of a write of client k that is on its way to node n.
func (s *State) stray(n, k int, m Message) {
	if m.Verb == get || m.Verb == probe || m.Verb == none {
		return
	}
	for i := range s.Strays {
		if s.Strays[i].Message.Verb == none {
			s.Strays[i] = Stray{Message: m, Node: uint8(n), From: uint8(k)}
			return
		}
	}
	panic("protocolmodel: more strays than maxStrays")
}

// tidy makes states equal that have the same future: strays that can never take
// effect any more are dropped, and the others are in one order.
func (m *model) tidy(s *State) {
	end := 0
	for _, st := range s.Strays {
		if st.Message.Verb == none || m.isSpent(s, st) {
			continue
		}
		i := end
		for ; i > 0 && before(st, s.Strays[i-1]); i-- {
			s.Strays[i] = s.Strays[i-1]
		}
		s.Strays[i] = st
		end++
	}
	clear(s.Strays[end:])
}

// isSpent: a node gives each version once, so a cas that does not fit now never will.
func (m *model) isSpent(s *State, st Stray) bool {
	n := &s.Nodes[st.Node]
	return n.Down || m.Rules.BoundVersions && st.Message.Verb == cas && !takesEffect(*n, st.Message, &m.Rules)
}

func takesEffect(n Node, m Message, rules *Rules) bool { return n.execute(m, rules).Status == done }

// before orders strays in any way.
func before(a, b Stray) bool {
	if a.From != b.From {
		return a.From < b.From
	}
	if a.Node != b.Node {
		return a.Node < b.Node
	}
	return a.Message.Version.Cas < b.Message.Version.Cas
}

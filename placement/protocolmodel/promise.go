package protocolmodel

import "fmt"

// A lie is what somebody was told wrongly.
type lie uint8

const (
	noLie lie = iota
	staleRead
	servedDestroyed
	toldAbsent
	toldExpired
	servedExpired
)

// String tells who was told what.
func (l lie) String() string {
	switch l {
	case staleRead:
		return "a reader misses a change that was acknowledged before it began, or sees it twice"
	case servedDestroyed:
		return "a reader is served a session whose destruction was acknowledged before it began"
	case toldAbsent:
		return "somebody is told that there is no session, and a node holds it"
	case toldExpired:
		return "somebody is told that the session has expired, and it was used within its idle timeout"
	case servedExpired:
		return "a reader is served a session that was not used for longer than its idle timeout"
	}
	return ""
}

// betrayedBy reports whether a reader that gets r was owed something else.
func (c *Client) betrayedBy(r Record) lie {
	if c.OwesEnd {
		return servedDestroyed
	}
	for k := range maxClients {
		if c.Owes.has(k) && r.Applied.of(k) != 1 {
			return staleRead
		}
	}
	return noLie
}

// owes notes what a reader that begins now must see.
func (s *State) owes(c *Client, start Start) {
	c.OwesEnd = start == Buried
	for k := range s.Clients {
		if s.Clients[k].Phase != acknowledged {
			continue
		}
		switch s.Clients[k].Role {
		case Writer, Creator, Renewer:
			c.Owes = c.Owes.with(k)
		case Destroyer:
			c.OwesEnd = true
		}
	}
}

// anywhere reports whether a node that is up holds the session under key.
func (s *State) anywhere(key uint8) bool {
	for n := range s.Nodes {
		if s.Nodes[n].Items[key].Record.Kind == Session {
			return true
		}
	}
	return false
}

// broken says which promise does not hold in s: what somebody was told, or what
// a reader would see that asks all nodes right now. Since this is asked in every
// state, it is asked after every fault.
func (m *model) broken(s *State) string {
	if s.Lie != noLie {
		return s.Lie.String()
	}
	r := m.truthNow(s, 0)
	for hops := 0; r.Kind == Alias && hops < maxKeys; hops++ {
		r = m.truthNow(s, r.Target)
	}
	switch {
	case s.destroyed(m.Start):
		return m.resurrected(s, r)
	case r.ends():
		return "" // by a destroyer that has no answer yet
	case r.Kind == Nothing && s.away() != 0:
		return "" // who asks learns that it is unavailable
	case m.Life.Idle > 0 && r.Kind == Nothing:
		return m.expiredEarly(s)
	}
	if r.Kind == Nothing && m.Start != Unborn {
		return "the session is lost"
	}
	if m.excused(s) {
		return ""
	}
	return s.miscounted(r)
}

// excused: what a node does after a hang can make a session live longer, also in an
// older state. TestOutsideThePromise tells how.
func (m *model) excused(s *State) bool { return s.Late && !m.Life.Strict && m.outlived(s) }

// away are nodes that nobody asks now.
func (s *State) away() set { return s.Hung | s.Back }

// expiredEarly is asked when there is no session any more.
func (m *model) expiredEarly(s *State) string {
	if m.inUse(s) && s.idIsKnown() {
		return "the session has expired, and it was used within its idle timeout"
	}
	return ""
}

// resurrected looks for a destroyed session under its id, which leads to r, and
// under every id that it was renewed to.
func (m *model) resurrected(s *State, r Record) string {
	if r.Kind == Session {
		return "the destroyed session is back"
	}
	for k, role := range m.Roles {
		if role == Renewer && s.Clients[k].Phase == acknowledged && m.truthNow(s, m.newKey(k)).Kind == Session {
			return "the destroyed session lives on under its new id"
		}
	}
	return ""
}

// truthNow is what READ finds under key if all nodes that are up answer at once.
func (m *model) truthNow(s *State, key uint8) Record {
	var in [maxNodes]Answer
	for n := range m.Nodes {
		if !s.away().has(n) {
			in[n] = s.Nodes[n].execute(Message{Verb: get, Key: key}, &m.Rules)
		}
	}
	v := m.look(&in)
	if m.outdone(v, 0) {
		return Record{} // who asks learns that it is unavailable
	}
	return v.truth
}

func (s *State) destroyed(start Start) bool {
	for k := range s.Clients {
		if s.Clients[k].Role == Destroyer && s.Clients[k].Phase == acknowledged {
			return true
		}
	}
	return start == Buried
}

// miscounted compares what r consists of with what was acknowledged.
func (s *State) miscounted(r Record) string {
	for k := range s.Clients {
		times := r.Applied.of(k)
		owed := s.Clients[k].Phase == acknowledged && s.Clients[k].Role != Reader
		switch {
		case times > 1:
			return fmt.Sprintf("the change of %s is applied %d times", clientName(k), times)
		case owed && r.Kind == Nothing:
			return fmt.Sprintf("the session is lost, with the acknowledged change of %s", clientName(k))
		case owed && times == 0:
			return fmt.Sprintf("the acknowledged change of %s is lost", clientName(k))
		}
	}
	return ""
}

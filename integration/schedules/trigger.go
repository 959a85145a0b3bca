package schedules

// A trigger strikes at the nth request from an app server, or from any.
type trigger struct {
	server string // "": any
	left   int
	strike func()
}

// countLocked lets a fault strike before m if it is the one that was waited for.
func (n *network) countLocked(m *message) {
	if m.kind != data || !m.toNode || m.severed {
		return
	}
	t := n.due
	if t == nil || t.server != "" && t.server != m.link.server {
		return
	}
	if t.left--; t.left > 0 {
		return
	}
	n.due = nil
	n.mu.Unlock()
	defer n.mu.Lock()
	t.strike()
}

// arm has strike happen instead of the nth request from now on, at once if n is 0.
func (n *network) arm(server string, nth int, strike func()) {
	if nth == 0 {
		strike()
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.due = &trigger{server, nth, strike}
}

// disarm has it not happen, unless it has.
func (n *network) disarm() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.due = nil
}

package protocolmodel

import (
	"fmt"
	"strings"
)

func clientName(k int) string { return string(rune('A' + k)) }

func nodeName(n int) string { return fmt.Sprintf("n%d", n+1) }

// narrate tells what mv did.
func (m *model) narrate(before, after *State, mv move) string {
	n, k := int(mv.node), int(mv.who)
	switch mv.event {
	case begins:
		return fmt.Sprintf("%s (%s) begins with the hint %s%s", clientName(k), roleNames[m.Roles[k]], nodeName(n), m.then(after, k))
	case arrives:
		return m.tellArrival(before, after, k, n)
	case falls:
		return fmt.Sprintf("%s waits for %s in vain: its %s may be done later%s", clientName(k), nodeName(n), words(before.Clients[k].Out[n]), m.then(after, k))
	case cutOff:
		return fmt.Sprintf("%s is cut off from %s: its %s may be done later%s", clientName(k), nodeName(n), words(before.Clients[k].Out[n]), m.then(after, k))
	case lands:
		st := before.Strays[k]
		return fmt.Sprintf("%s does %s's late %s", nodeName(n), clientName(int(st.From)), words(st.Message))
	}
	return m.narrateFault(after, mv)
}

// narrateFault tells what happened that no client did.
func (m *model) narrateFault(after *State, mv move) string {
	n, k := int(mv.node), int(mv.who)
	switch mv.event {
	case nodeDies:
		return nodeName(n) + " dies"
	case nodeEmpty:
		return nodeName(n) + " restarts empty"
	case nodeEvicts:
		return nodeName(n) + " drops its items"
	case hangs:
		return nodeName(n) + " hangs"
	case wakes:
		return nodeName(n) + " goes on"
	case returns:
		return nodeName(n) + " is asked again"
	case repeats:
		return fmt.Sprintf("%s's tombstone is brought to %s", clientName(k), nodeName(n))
	case passes:
		return "time passes: " + m.describe(after)
	case serverDies:
		return fmt.Sprintf("app server %d dies", k+1)
	}
	return ""
}

func (m *model) tellArrival(before, after *State, k, n int) string {
	msg := before.Clients[k].Out[n]
	node := before.Nodes[n]
	got := node.execute(msg, &m.Rules)
	if before.Hung.has(n) {
		got.Status = silent
	}
	what := statusNames[got.Status]
	if got.Status == done {
		what = msg.learns(got)
	}
	return fmt.Sprintf("%s's %s at %s: %s%s", clientName(k), words(msg), nodeName(n), what, m.then(after, k))
}

// learns tells what an answer says.
func (m Message) learns(got Answer) string {
	switch {
	case m.Verb == get || got.Record.ends():
		return got.Record.String()
	case m.Verb == probe && got.Record.Kind != Nothing:
		return fmt.Sprintf("e%dr%d", got.Record.Epoch, got.Record.Revision)
	case m.Verb == probe:
		return "nothing"
	}
	return statusNames[done]
}

// then tells what the client does next, if it was not still waiting.
func (m *model) then(s *State, k int) string {
	c := &s.Clients[k]
	if c.Phase.over() {
		return "; " + clientName(k) + " " + phaseNames[c.Phase]
	}
	var sent []string
	for n := range m.Nodes {
		if c.In[n].Status != unasked && c.Phase != copying && c.Phase != asking && c.Phase != doubting {
			return "" // it has answers, and waits for more
		}
		if c.Flight.has(n) {
			sent = append(sent, words(c.Out[n])+" to "+nodeName(n))
		}
	}
	return "; " + clientName(k) + " " + phaseNames[c.Phase] + " (" + strings.Join(sent, ", ") + ")"
}

// describe tells what lies where.
func (m *model) describe(s *State) string {
	var parts []string
	for n := range m.Nodes {
		parts = append(parts, nodeName(n)+": "+s.Nodes[n].String())
	}
	return strings.Join(parts, "; ")
}

// String tells what a node holds.
func (n Node) String() string {
	if n.Down {
		return "down"
	}
	var held []string
	for key, it := range n.Items {
		switch {
		case it.Record.Kind == Nothing:
		case key == 0:
			held = append(held, it.Record.String()+it.life())
		default:
			held = append(held, fmt.Sprintf("key %d %v", key, it.Record))
		}
	}
	if held == nil {
		return "nothing"
	}
	return strings.Join(held, ", ")
}

// life tells the time left and the time that was sent.
func (it Item) life() string {
	if it.Left == 0 {
		return ""
	}
	return fmt.Sprintf(" %d/%d", it.Left, it.Record.TTL)
}

// String tells a record as e1r2@n1{AB}: epoch, revision, home, changes in it.
func (r Record) String() string {
	at := fmt.Sprintf("e%dr%d@%s", r.Epoch, r.Revision, nodeName(int(r.Home)))
	switch r.Kind {
	case Nothing:
		return "nothing"
	case Tombstone:
		return "a tombstone"
	case Alias:
		return fmt.Sprintf("an alias to key %d, %s", r.Target, at)
	}
	var changes strings.Builder
	for k := range maxClients {
		changes.WriteString(strings.Repeat(clientName(k), r.Applied.of(k)))
	}
	return at + "{" + changes.String() + "}"
}

// words tells a message.
func words(m Message) string {
	key := ""
	if m.Key > 0 {
		key = fmt.Sprintf(" under key %d", m.Key)
	}
	switch m.Verb {
	case get:
		return "read" + key
	case touch:
		return fmt.Sprintf("touch for %d%s", m.Life, key)
	case probe:
		return "probe" + key
	case remove:
		return "delete" + key
	}
	return verbNames[m.Verb] + " " + m.Record.String() + key
}

// outcome tells how all clients ended.
func (m *model) outcome(s *State) string {
	var ends []string
	for k := range m.Roles {
		ends = append(ends, clientName(k)+" "+phaseNames[s.Clients[k].Phase])
	}
	return strings.Join(ends, ", ")
}

// The words, by number.
var (
	roleNames   = [...]string{"nobody", "writer", "reader", "destroyer", "creator", "renewer"}
	verbNames   = [...]string{"", "read", "probe", "cas", "add", "set", "delete", "touch"}
	statusNames = [...]string{"", "HD", "refused", "no answer"}
	phaseNames  = [...]string{
		"waits", "reads", "asks all", "asks the home again", "writes in parallel", "writes at the deciding node",
		"writes the copies", "buries", "creates", "writes the new record", "touches", "looks at what it touched",
		"is acknowledged", "gets an error", "finds it destroyed", "finds it renewed", "finds nothing", "is dead",
	}
)

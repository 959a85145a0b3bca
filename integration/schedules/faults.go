package schedules

import (
	"context"
	"maps"
	"slices"
	"time"
)

// A fault is something that can go wrong, with one node or server or between two.
type fault struct {
	strike func(*site, target)
	mend   func(*site, target) // nil: it is over at once
	server bool                // it is a server that fails, and no node
	loses  bool                // a node loses what it has, so that one copy is not enough
	waits  bool                // it takes its time, and happens between two requests only
}

// A target is where a fault happens.
type target struct {
	node   *cacheNode
	server string
}

// faults are all of them.
func faults() map[string]fault {
	all := nodeFaults()
	maps.Copy(all, linkFaults())
	maps.Copy(all, serverFaults())
	return all
}

// nodeFaults are those of one node, which all servers meet.
func nodeFaults() map[string]fault {
	good := func(n *cacheNode) { n.answer(sane, 0) }
	return map[string]fault{
		"kill":    losing(ofNode((*cacheNode).kill, (*cacheNode).start)),
		"restart": losing(ofNode(func(n *cacheNode) { n.kill(); n.start() }, nil)),
		"flush":   losing(ofNode(func(n *cacheNode) { n.process.Flush() }, nil)),
		"full":    losing(ofNode((*cacheNode).fill, (*cacheNode).relieve)),
		"errors":  losing(ofNode(func(n *cacheNode) { n.answer(erring, 0) }, good)),
		"garbage": losing(ofNode(func(n *cacheNode) { n.answer(babbling, 0) }, good)),
		"freeze":  ofNode((*cacheNode).freeze, (*cacheNode).thaw),
		"away":    ofNode((*cacheNode).leave, (*cacheNode).comeBack),
		"slow":    ofNode(func(n *cacheNode) { n.answer(sane, 90*time.Millisecond) }, good),
		"stalled": ofNode(func(n *cacheNode) { n.answer(sane, 300*time.Millisecond) }, good),
	}
}

func ofNode(strike, mend func(*cacheNode)) fault {
	f := fault{strike: func(_ *site, t target) { strike(t.node) }}
	if mend != nil {
		f.mend = func(_ *site, t target) { mend(t.node) }
	}
	return f
}

func losing(f fault) fault {
	f.loses = true
	return f
}

// linkFaults are those between one server and a node, or all nodes.
func linkFaults() map[string]fault {
	return map[string]fault{
		"reset":   {strike: func(s *site, t target) { s.net.sever(s.linked(t)) }},
		"cut":     {strike: setLink(cut, 0), mend: setLink(open, 0)},
		"delay":   {strike: setLink(open, 150*time.Millisecond), mend: setLink(open, 0)},
		"silence": {strike: setLink(silent, 0), mend: setLink(open, 0)},
		"hang":    {strike: setLink(silent, 0), mend: func(s *site, t target) { s.net.sever(s.linked(t)); setLink(open, 0)(s, t) }},
		"cutoff":  {strike: cutOff(cut), mend: cutOff(open)},
		"lonely":  {strike: cutOff(silent), mend: cutOff(open)},
	}
}

// serverFaults are those of a server, and what operators do to its list of nodes.
func serverFaults() map[string]fault {
	return map[string]fault{
		"crash": {
			server: true,
			strike: func(s *site, t target) { s.server(t.server).crash() },
			mend:   func(s *site, t target) { s.revive(t.server) },
		},
		"stop": {server: true, waits: true, strike: func(s *site, t target) { s.restart(t.server) }},
		"drain": {
			waits: true,
			strike: func(s *site, t target) {
				s.tellServers("Drain", func(a *appServer) error { return a.m.Drain(t.node.name) })
			},
			mend: func(s *site, _ target) { s.setNodes(s.allNodes()) },
		},
		"remove": {
			waits:  true,
			strike: func(s *site, t target) { s.setNodes(without(s.allNodes(), t.node.name)) },
			mend:   func(s *site, _ target) { s.setNodes(s.allNodes()) },
		},
	}
}

// linked matches the connections between a server and a node.
func (s *site) linked(t target) func(*wire) bool {
	return func(w *wire) bool { return w.link.route == route{t.server, t.node.name} }
}

func setLink(state linkState, delay time.Duration) func(*site, target) {
	return func(s *site, t target) {
		if state == cut {
			s.net.sever(s.linked(t))
		}
		s.net.mu.Lock()
		defer s.net.mu.Unlock()
		l := s.net.links[route{t.server, t.node.name}]
		l.state, l.delay = state, delay
		held := l.held
		l.held = nil
		s.net.againLocked(held)
	}
}

// cutOff does it to all nodes of a server.
func cutOff(state linkState) func(*site, target) {
	return func(s *site, t target) {
		for _, n := range s.nodes {
			setLink(state, 0)(s, target{n, t.server})
		}
	}
}

func (s *site) revive(server string) {
	if !s.server(server).gone() {
		return
	}
	if err := s.startServer(server); err != nil {
		s.complain("%s does not start again: %v", server, err)
	}
}

// restart stops a server as an operator does, and starts it again.
func (s *site) restart(server string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.server(server).stop(ctx); err != nil {
		s.complain("%s: Shutdown: %v", server, err)
	}
	s.revive(server)
}

func (s *site) allNodes() []string {
	var names []string
	for _, n := range s.nodes {
		names = append(names, n.name)
	}
	return names
}

func without(names []string, name string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return n == name })
}

func (s *site) setNodes(names []string) {
	s.nodeList = names
	s.tellServers("SetNodes", func(a *appServer) error {
		list, err := a.list(names)
		if err != nil {
			return err
		}
		return a.m.SetNodes(list)
	})
}

// tellServers lets the servers hear of a change one after the other.
func (s *site) tellServers(what string, tell func(*appServer) error) {
	for _, name := range s.serverNames() {
		if err := tell(s.server(name)); err != nil {
			s.complain("%s on %s: %v", what, name, err)
		}
		s.pass(time.Duration(1+s.random(5)) * time.Millisecond)
	}
}

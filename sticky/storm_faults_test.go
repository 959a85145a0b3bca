package sticky_test

import (
	"fmt"
	"slices"
	"time"
)

// strike makes one fault come and go.
func (s *storm) strike() {
	i, victim := s.random(len(s.nodes)), s.random(stormServers)
	n, name := s.nodes[i], fmt.Sprint("n", i+1)
	wait := func() {
		time.Sleep(time.Duration(s.random(2000)) * time.Millisecond)
		s.sleeper.increment()
		time.Sleep(time.Duration(s.random(2000)) * time.Millisecond)
	}
	fault := s.random(12)
	if slices.Contains([]int{0, 2, 5, 6}, fault) {
		s.losses.Add(1)
	}
	s.log("fault %d at %s, app%d", fault, name, victim)
	switch fault {
	case 0:
		n.Kill()
		wait()
		n.Revive()
	case 1:
		n.Freeze()
		wait()
		n.Thaw()
	case 2:
		n.Empty()
	case 3:
		n.Reset()
	case 4:
		client := s.server(victim).client
		n.Cut(client)
		wait()
		n.Mend(client)
	case 5:
		old := n.Snapshot()
		n.Kill()
		wait()
		n.Revive()
		n.Restore(old)
	case 6:
		n.Revive() // restarted empty
	case 7:
		s.kill(victim)
	case 8:
		s.restart(victim)
	case 9:
		s.cutOff(victim)
		wait()
		s.mend(victim)
	case 10:
		s.cutOff(victim)
		wait()
		s.kill(victim)
	case 11:
		if len(s.nodes) > 2 {
			s.drain(name)
		}
	}
	s.log("over")
}

// cutOff lets a server reach no node.
func (s *storm) cutOff(i int) {
	s.off.Store(s.server(i).client, true)
	for _, n := range s.nodes {
		n.Cut(s.server(i).client)
	}
}

func (s *storm) mend(i int) {
	s.off.Delete(s.server(i).client)
	for _, n := range s.nodes {
		n.Mend(s.server(i).client)
	}
}

// drain empties a node under load, and takes it into use again.
func (s *storm) drain(name string) {
	for i := range stormServers {
		if err := s.server(i).cluster.Drain(name); err != nil {
			s.complain("Drain(%s): %v", name, err)
		}
	}
	time.Sleep(time.Second)
	for i := range stormServers {
		if err := s.server(i).cluster.SetNodes(s.list(s.server(i))); err != nil {
			s.complain("SetNodes: %v", err)
		}
	}
}

// repair waits until all nodes are asked again and every session has been used.
func (s *storm) repair() {
	for i := range stormServers {
		for _, n := range s.server(i).cluster.Nodes() {
			if n.State != "up" {
				time.Sleep(50 * time.Millisecond)
				s.poke() // so that a silent fault is met
			}
		}
	}
	time.Sleep(6 * time.Second)
	for range 3 {
		s.poke()
		time.Sleep(timeout)
	}
	for i := range stormServers {
		for _, n := range s.server(i).cluster.Nodes() {
			if n.State != "up" {
				s.log("app%d: %s is %s at the end of the repair", i, n.Name, n.State)
			}
		}
	}
}

// poke has some server read each session from the nodes.
func (s *storm) poke() {
	for _, u := range append(s.users, s.sleeper) {
		u.lookFrom(s.server(s.random(stormServers)))
	}
}

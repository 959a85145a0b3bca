package schedules

import (
	"fmt"
	"time"
)

// recover waits until all nodes are asked again, and every session has been used.
func (s *site) recover() {
	s.useAll()
	for range maxRounds {
		s.pass(time.Second)
		if s.allUp() {
			break
		}
	}
	for range 3 {
		s.useAll()
		s.pass(operationTimeout)
	}
	s.untilSent()
	if !s.allUp() {
		s.story.say("not all nodes are up after the repair")
		s.complain("after %d s of repair not all nodes are in use", maxRounds)
	}
}

const maxRounds = 30

func (s *site) allUp() bool {
	for _, name := range s.serverNames() {
		for _, n := range s.server(name).m.Nodes() {
			if n.State != "up" {
				return false
			}
		}
	}
	return true
}

// useAll has each session used on some server; only a change reaches the nodes where
// servers have it in memory.
func (s *site) useAll() {
	for _, u := range s.users {
		if !u.hasSession() {
			continue
		}
		w := want{"read", "a", fmt.Sprint("app", s.random(serverCount)+1)}
		if s.mode.sticky() {
			w = want{"update", counter, "route"}
		}
		u.send(w, "")
	}
}

// untilSent waits until all servers have sent what they hold.
func (s *site) untilSent() {
	for range maxRounds {
		unsent := 0
		for _, name := range s.serverNames() {
			unsent += s.server(name).m.Stats().Local.Unsent
		}
		if unsent == 0 {
			return
		}
		s.pass(time.Second)
	}
	s.complain("after %d s of repair there are unsent changes", maxRounds)
}

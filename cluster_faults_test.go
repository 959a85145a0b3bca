package holdfast_test

import (
	"testing"
)

// A server, a home or a copy fails between two requests. With the files beside it
// this is the failure table, row by row.

func TestAnAppServerDiesAnyOtherServesOn(t *testing.T) {
	inCluster(t, 3, 2, func(s *scene) {
		s.mustAdd(s.servers...)
		s.KillServer("app1")
		s.wantNumber("app2", "app3")
		s.mustAdd("app2", "app3")
		s.ReviveServer("app1")
		s.wantSettled()
	})
}

// onTwoAndThree plays a scene with a node to spare and without.
func onTwoAndThree(t *testing.T, play func(*scene)) {
	t.Helper()
	for _, nodes := range []int{2, 3} {
		inCluster(t, 2, nodes, play)
	}
}

func TestTheHomeDiesAndTheCopyDecides(t *testing.T) {
	onTwoAndThree(t, func(s *scene) {
		home, copied := s.home(), s.copy()
		s.KillNode(home)
		s.wantNumber(s.servers...)
		s.mustAdd(s.servers...)
		if got := s.home(); got != copied {
			t.Errorf("the cookie names %s now, want the copy, %s", got, copied)
		}
		s.wantSettled()
		if len(s.nodes) > 2 { // there is a new copy
			s.KillNode(copied)
			s.wantSettled()
		}
	})
}

func TestTheHomeHangsAndCostsOneWaitPerAppServer(t *testing.T) {
	onTwoAndThree(t, func(s *scene) {
		home := s.home()
		s.FreezeNode(home)
		for range 10 {
			for _, server := range s.servers {
				s.mustAdd(server)
				s.send(server, "/")
			}
		}
		for _, server := range s.servers {
			if got := s.waits[server]; got > 1 {
				t.Errorf("%d requests waited on %s, want one at most", got, server)
			}
		}
		s.wantSettled()
		s.ThawNode(home) // and does what was sent to it
		s.wantNumber(s.servers...)
		s.repaired()
		s.wantSettled()
	})
}

func TestTheHomeForgetsAndTheCopyDecides(t *testing.T) {
	for name, forget := range map[string]func(s *scene, node string){
		"comes back empty": func(s *scene, n string) { s.KillNode(n); s.ReviveNode(n) },
		"is flushed":       func(s *scene, n string) { s.EmptyNode(n) },
		"evicts the record": func(s *scene, n string) {
			for _, key := range s.Node(n).Keys() {
				s.Node(n).Evict(key)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onTwoAndThree(t, func(s *scene) {
				home, copied := s.home(), s.copy()
				forget(s, home)
				s.wantNumber(s.servers...)
				s.mustAdd(s.servers...)
				s.repaired()
				s.wantSettled()
				s.KillNode(copied) // whoever has it, is not alone
				s.wantSettled()
			})
		})
	}
}

func TestTheHomeComesBackWithOldMemory(t *testing.T) {
	onTwoAndThree(t, func(s *scene) {
		home := s.home()
		old := s.Node(home).Snapshot()
		s.mustAdd("app1")
		s.KillNode(home)
		s.mustAdd("app1", "app2")
		s.Node(home).Restore(old)
		s.restart("app2") // it does not know that the node was away
		cookies := s.cookies[1:]
		if s.Options.Sticky { // an older one may be answered with what its server remembers
			cookies = s.cookies[len(s.cookies)-1:]
		}
		for _, cookie := range cookies {
			for _, server := range s.servers {
				s.wantPage(server, s.present(server, cookie))
			}
		}
		s.mustAdd("app2", "app1")
		s.repaired()
		s.wantSettled()
	})
}

func TestACopyDiesOrIsEmptied(t *testing.T) {
	for name, fault := range map[string]func(s *scene, node string){
		"dies":       func(s *scene, n string) { s.KillNode(n) },
		"is emptied": func(s *scene, n string) { s.EmptyNode(n) },
	} {
		t.Run(name, func(t *testing.T) {
			onTwoAndThree(t, func(s *scene) {
				home, copied := s.home(), s.copy()
				fault(s, copied)
				s.wantNumber(s.servers...)
				s.mustAdd(s.servers...)
				if degraded := s.degraded(); (degraded > 0) != (name == "dies" && len(s.nodes) == 2) {
					t.Errorf("%d commits were counted as degraded", degraded)
				}
				if name == "dies" {
					s.ReviveNode(copied)
				}
				s.repaired()
				s.mustAdd("app1")
				s.KillNode(home) // there is a copy again
				s.wantSettled()
			})
		})
	}
}

// degraded returns how many commits the living servers counted as such.
func (s *scene) degraded() (n uint64) {
	for _, server := range s.servers {
		n += s.Manager(server).Stats().Placement.Degraded
	}
	return n
}

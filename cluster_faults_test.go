package holdfast_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The rows of the failure table, and one fault at any moment.

// moments is how many calls a request may make in a test: far more than one needs.
const moments = 60

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

func TestAnAppServerDiesInTheMiddleOfACommit(t *testing.T) {
	eachMoment(t, 2, func(s *scene, string string) {
		s.KillServer("app1")
	}, func(s *scene) {
		s.wantNumber("app2")
		s.mustAdd("app2")
		s.ReviveServer("app1")
		s.wantSettled()
		s.KillNode(s.home()) // what was settled has its copy
		s.wantNumber("app1", "app2")
	})
}

// eachMoment lets fault happen in the middle of each call that an add on app1
// makes, and then plays the rest.
func eachMoment(t *testing.T, nodes int, fault func(s *scene, node string), rest func(*scene)) {
	for _, sent := range []bool{false, true} {
		for nth := 1; nth <= moments; nth++ {
			happened := false
			t.Run(fmt.Sprintf("call %d, sent %v", nth, sent), func(t *testing.T) {
				inCluster(t, 2, nodes, func(s *scene) {
					did := s.atCall(nth, sent, func(node string) { fault(s, node) })
					s.add("app1")
					s.disarm()
					if happened = did(); happened {
						rest(s)
					}
				})
			})
			if !happened {
				if nth == 1 {
					t.Error("no fault happened")
				}
				break
			}
		}
	}
}

// aNodeFails are the ways in which a node can fail while a request is under way.
var aNodeFails = map[string]struct {
	fault, back func(s *scene, node string)
}{
	"dies":          {func(s *scene, n string) { s.KillNode(n) }, func(s *scene, n string) { s.ReviveNode(n) }},
	"hangs":         {func(s *scene, n string) { s.FreezeNode(n) }, func(s *scene, n string) { s.ThawNode(n) }},
	"is emptied":    {func(s *scene, n string) { s.EmptyNode(n) }, func(*scene, string) {}},
	"restarts":      {func(s *scene, n string) { s.KillNode(n); s.ReviveNode(n) }, func(*scene, string) {}},
	"resets":        {func(s *scene, n string) { s.Node(n).Reset() }, func(*scene, string) {}},
	"is cut off":    {func(s *scene, n string) { s.Cut("app1", n) }, func(s *scene, n string) { s.Mend("app1", n) }},
	"is old memory": {func(s *scene, n string) { s.Node(n).Restore(s.Node(n).Snapshot()) }, func(*scene, string) {}},
}

func TestANodeFailsInTheMiddleOfACommit(t *testing.T) {
	for name, c := range aNodeFails {
		for _, nodes := range []int{2, 3} {
			t.Run(name, func(t *testing.T) {
				failed := ""
				eachMoment(t, nodes, func(s *scene, node string) { failed = node; c.fault(s, node) }, func(s *scene) {
					s.wantNumber("app2", "app1")
					s.mustAdd("app2", "app1")
					c.back(s, failed)
					s.repaired()
					s.wantSettled()
					s.repaired()
					s.KillNode(s.after(failed, 1)) // the next fault, after repair
					s.wantNumber("app1", "app2")
				})
			})
		}
	}
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
				s.add(server)
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
		for _, cookie := range s.cookies[1:] {
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

// aNodeIsAway are the ways in which a node can miss something and come back.
var aNodeIsAway = map[string]func(s *scene, node string) (back func()){
	"hangs": func(s *scene, n string) func() {
		s.FreezeNode(n)
		return func() { s.ThawNode(n) }
	},
	"is away, and comes back with old memory": func(s *scene, n string) func() {
		old := s.Node(n).Snapshot()
		s.KillNode(n)
		return func() { s.Node(n).Restore(old) }
	},
	"is out of reach": func(s *scene, n string) func() {
		for _, server := range s.servers {
			s.Cut(server, n)
		}
		return func() {
			for _, server := range s.servers {
				s.Mend(server, n)
			}
		}
	},
	"dies, and comes back empty": func(s *scene, n string) func() {
		s.KillNode(n)
		return func() { s.ReviveNode(n) }
	},
}

func TestLogoutWhileANodeHangsOrIsAway(t *testing.T) {
	for name, leave := range aNodeIsAway {
		for i := range 3 {
			t.Run(fmt.Sprintf("%s, node %d after the home", name, i), func(t *testing.T) {
				onTwoAndThree(t, func(s *scene) {
					node := s.after(s.home(), i)
					back := leave(s, node)
					for s.send("app1", "/logout").Code != http.StatusOK { // the first may have waited
					}
					s.wantLoggedOut(s.servers...)
					back()
					s.wantLoggedOut(s.servers...)
					s.repaired()
					s.restart("app2")
					s.wantLoggedOut(s.servers...)
					for _, other := range s.nodes {
						if other != node {
							s.KillNode(other)
						}
					}
					s.wantLoggedOut(s.servers...) // though it is the only one left
				})
			})
		}
	}
}

// A request that was under way when the session was destroyed does not bring it back.
func TestLogoutIsFinalForRequestsUnderWay(t *testing.T) {
	onTwoAndThree(t, func(s *scene) {
		home := s.home()
		s.FreezeNode(home)
		var adds sync.WaitGroup
		adds.Go(func() { s.bob.On("app1").Get("/add") })
		time.Sleep(operationTimeout / 2)
		for s.send("app2", "/logout").Code != http.StatusOK {
		}
		s.ThawNode(home)
		adds.Wait()
		s.wantLoggedOut(s.servers...)
		s.repaired()
		s.restart("app1")
		s.wantLoggedOut(s.servers...)
	})
}

func TestSomeAppServersCannotReachANodeThatOthersReach(t *testing.T) {
	for _, nodes := range []int{2, 3} {
		for i := range nodes {
			inCluster(t, 3, nodes, func(s *scene) {
				node := s.after(s.home(), i)
				s.Cut("app1", node)
				for range 3 {
					s.mustAdd("app1", "app2", "app3", "app2", "app1")
					s.wantNumber(s.servers...)
				}
				s.Mend("app1", node)
				s.wantNumber(s.servers...)
				s.repaired()
				s.wantSettled()
				s.repaired()
				s.KillNode(s.after(node, 1))
				s.wantSettled()
			})
		}
	}
}

func TestAllNodesAwayLogsNobodyOut(t *testing.T) {
	for _, way := range []string{"hangs", "is out of reach"} {
		for _, away := range []time.Duration{30 * time.Second, 5 * time.Minute} {
			t.Run(fmt.Sprintf("%s for %v", way, away), func(t *testing.T) {
				onTwoAndThree(t, func(s *scene) {
					var back []func()
					for _, node := range s.nodes {
						back = append(back, aNodeIsAway[way](s, node))
					}
					s.wantAway()
					time.Sleep(away)
					s.wantAway()
					for _, mend := range back {
						mend()
					}
					s.repaired()
					s.wantNumber(s.servers...)
					s.wantSettled()
				})
			})
		}
	}
}

// wantAway wants requests that need their session to get 503, and no others.
func (s *scene) wantAway() {
	s.t.Helper()
	for _, server := range s.servers {
		w := s.send(server, "/")
		wantStatus(s.t, w, http.StatusServiceUnavailable)
		if got := w.Header().Get("Set-Cookie"); got != "" {
			s.t.Errorf("the cookie became %q", got)
		}
		wantStatus(s.t, s.send(server, "/help"), http.StatusOK)
	}
}

func TestBothMembersDieBeforeRepair(t *testing.T) {
	inCluster(t, 2, 3, func(s *scene) {
		home, copied := s.home(), s.copy()
		s.KillNode(home)
		s.KillNode(copied)
		for _, server := range s.servers {
			wantStatus(t, s.send(server, "/"), http.StatusServiceUnavailable) // it might be on them
		}
		s.ReviveNode(home)
		s.ReviveNode(copied)
		time.Sleep(30 * time.Second)
		for _, server := range s.servers { // all answer: it is nowhere
			if w := s.send(server, "/"); w.Code != http.StatusOK || w.Body.String() != " 0" {
				t.Errorf("%s answers %d %q, want no session", server, w.Code, w.Body)
			}
		}
	})
}

// Members that are gone for good do not make every visitor unavailable for ever.
func TestBothMembersDieForGood(t *testing.T) {
	inCluster(t, 2, 3, func(s *scene) {
		s.KillNode(s.home())
		s.KillNode(s.copy())
		s.send("app1", "/")
		time.Sleep(2 * time.Minute)
		if w := s.send("app1", "/"); w.Code != http.StatusOK || w.Body.String() != " 0" {
			t.Errorf("after 2 minutes: %d %q, want no session", w.Code, w.Body)
		}
	})
}

func TestNodeListsDifferDuringARollingChange(t *testing.T) {
	for name, lists := range map[string][2][]string{ // of app1, and of app2, where the session begins
		"another order":   {{"n1", "n2", "n3"}, {"n3", "n1", "n2"}},
		"a node is added": {{"n1", "n2"}, {"n1", "n2", "n3"}},
		"a node is taken": {{"n2", "n3"}, {"n1", "n2", "n3"}},
	} {
		for _, home := range []string{"n1", "n2", "n3"} {
			t.Run(name+", home "+home, func(t *testing.T) {
				withHome(t, home, lists, func(s *scene) {
					knows := slices.Contains(lists[0], home) && slices.Contains(lists[0], s.copy())
					for range 3 {
						if s.add("app1") != knows {
							t.Errorf("a server that knows all members: %v; its commit was acknowledged: %v", knows, !knows)
						}
						s.wantNumberOrUnavailable("app1")
						s.mustAdd("app2")
						s.wantNumber("app2")
					}
					s.SetNodes("app1", "n1", "n2", "n3") // the change is through
					s.restart("app1")
					s.wantNumber(s.servers...)
					s.wantSettled()
				})
			})
		}
	}
}

// withHome plays a scene with these node lists. The home is chosen at random,
// so it tries until it is the one that is wanted.
func withHome(t *testing.T, home string, lists [2][]string, play func(*scene)) {
	for played := false; !played; {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, 2, 3)
			for i, server := range s.servers {
				s.SetNodes(server, lists[i]...)
			}
			s.begin("app2")
			if played = s.home() == home; played {
				play(s)
			}
		})
	}
}

func (s *scene) wantNumberOrUnavailable(server string) {
	s.t.Helper()
	if w := s.send(server, "/"); w.Code != http.StatusServiceUnavailable {
		s.wantPage(server, w)
	}
}

// Outside the promise: both groups go on with the node that they see. This pins
// what happens then: it is counted, one group's changes win, and all agree.
func TestTwoGroupsCutOffFromDifferentNodes(t *testing.T) {
	inCluster(t, 2, 2, func(s *scene) {
		s.wantSettled()
		before := s.least
		s.Cut("app1", s.copy())
		s.Cut("app2", s.home())
		s.mustAdd("app1", "app1", "app2", "app2", "app2")
		if s.degraded() == 0 {
			t.Error("no commit was counted as degraded")
		}
		s.least = before
		s.Mend("app1", "n1")
		s.Mend("app1", "n2")
		s.Mend("app2", "n1")
		s.Mend("app2", "n2")
		s.repaired()
		var n int
		fmt.Sscanf(s.send("app1", "/").Body.String(), "bob %d", &n)
		t.Logf("of 2 changes on one side and 3 on the other %d are left", n-before)
		if n != before+2 && n != before+3 {
			t.Errorf("the number is %d, want that of one group: %d or %d", n, before+2, before+3)
		}
		s.wantSettled()
	})
}

// Adds on all servers at the same time, while a node fails in the middle.
func TestParallelChangesSurviveAFault(t *testing.T) {
	for name, c := range aNodeFails {
		t.Run(name, func(t *testing.T) {
			for _, nodes := range []int{2, 3} {
				inCluster(t, 3, nodes, func(s *scene) {
					did := s.atCall(40, true, func(node string) { c.fault(s, node) })
					var adds sync.WaitGroup
					for _, server := range s.servers {
						for range 4 {
							adds.Go(func() {
								for range 4 {
									s.add(server)
								}
							})
						}
					}
					adds.Wait()
					s.disarm()
					if !did() {
						t.Error("no fault happened")
					}
					s.wantNumber(s.servers...)
					s.repaired()
					s.wantSettled()
				})
			}
		})
	}
}

// A node that missed a renewal has the session under its former id. It must not
// serve that when the nodes that know of the renewal have forgotten it, one
// after the other: nobody asks for a former id, so nobody mends it on the way.
func TestAFormerIDStaysDeadWhenAMemberMissedTheRenewal(t *testing.T) {
	for name, leave := range aNodeIsAway {
		for i := range 2 {
			t.Run(fmt.Sprintf("%s, node %d after the home", name, i), func(t *testing.T) {
				onTwoAndThree(t, func(s *scene) {
					node, former := s.after(s.home(), i), s.cookies
					back := leave(s, node)
					for s.send("app1", "/login").Code != http.StatusOK { // the first may have waited
					}
					back()
					s.repaired()
					for _, other := range s.nodes {
						if other != node {
							s.EmptyNode(other)
							s.send("app1", "/") // the session itself is mended
							s.repaired()
						}
					}
					s.cookies = former
					s.wantLoggedOut(s.servers...)
				})
			})
		}
	}
}

package holdfast_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Servers that do not see the same nodes, and nodes that nobody sees.

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

// wantAway wants requests that need their session to get 503, and no others. A
// sticky server goes on with those that it had last.
func (s *scene) wantAway() {
	s.t.Helper()
	for _, server := range s.servers {
		w := s.send(server, "/")
		if s.remembers(server) {
			s.wantPage(server, w)
			s.add(server) // may have to find out that the nodes hang
			s.mustAdd(server)
			continue
		}
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
			w := s.send(server, "/")
			if s.remembers(server) {
				s.wantPage(server, w)
				continue
			}
			wantStatus(t, w, http.StatusServiceUnavailable) // it might be on them
		}
		s.ReviveNode(home)
		s.ReviveNode(copied)
		time.Sleep(30 * time.Second)
		if s.Options.Sticky {
			s.wantSettled()
			return
		}
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
		if s.Options.Sticky {
			s.wantNumber("app1") // and behind it the session is stored again
			time.Sleep(operationTimeout)
			s.wantNumber("app2")
			return
		}
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

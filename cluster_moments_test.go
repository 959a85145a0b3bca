package holdfast_test

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// One fault at any moment of a commit.

// moments is how many calls a request may make in a test: far more than one needs.
const moments = 60

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

// One message of a commit takes so long that meanwhile a node fails and another
// server commits: what arrives late must not replace what was acknowledged.
func TestAnotherServerCommitsWhileAMessageIsUnderWay(t *testing.T) {
	meanwhile := map[string]func(s *scene, node string){
		"nothing fails":                    func(*scene, string) {},
		"the node dies":                    func(s *scene, n string) { s.KillNode(n) },
		"the node is emptied":              func(s *scene, n string) { s.EmptyNode(n) },
		"another dies":                     func(s *scene, n string) { s.KillNode(s.after(n, 1)) },
		"another is emptied":               func(s *scene, n string) { s.EmptyNode(s.after(n, 1)) },
		"another is cut off from the rest": func(s *scene, n string) { s.Cut("app2", s.after(n, 1)) },
	}
	for name, fault := range meanwhile {
		for _, nodes := range []int{2, 3} {
			t.Run(name, func(t *testing.T) {
				eachMoment(t, nodes, func(s *scene, node string) {
					time.Sleep(time.Millisecond) // the messages that were sent with it arrive
					fault(s, node)
					s.mustAdd("app2", "app2")
				}, func(s *scene) {
					s.wantNumber(s.servers...)
					s.mustAdd(s.servers...)
					s.Mend("app2", "n1")
					s.Mend("app2", "n2")
					s.wantNumber(s.servers...)
					s.repaired()
					s.wantSettled()
				})
			})
		}
	}
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

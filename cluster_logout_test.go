package holdfast_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// What has ended stays so: a destroyed session, and a former id.

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
					s.insist("app1", "/logout")
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
		s.insist("app2", "/logout")
		s.ThawNode(home)
		adds.Wait()
		s.wantLoggedOut(s.servers...)
		s.repaired()
		s.restart("app1")
		s.wantLoggedOut(s.servers...)
	})
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
					s.insist("app1", "/login")
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

// A node that a session has left, while it could not be told, keeps what it had.
// It must not serve that under a former id, either.
func TestAFormerIDStaysDeadOnANodeThatTheSessionHasLeft(t *testing.T) {
	for name, leave := range aNodeIsAway {
		for i := range 2 {
			t.Run(fmt.Sprintf("%s, node %d after the home", name, i), func(t *testing.T) {
				inCluster(t, 2, 3, func(s *scene) {
					left := s.after(s.home(), i)
					back := leave(s, left)
					s.insist("app1", "/add") // the session moves to the two others
					back()
					s.repaired()
					former := s.cookies
					wantStatus(t, s.send("app1", "/login"), http.StatusOK)
					for _, other := range s.nodes {
						if other != left {
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

package holdfast_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// Where memcached-session-manager lets requests wait, or grows, played in each mode
// of this package.

var counting = deeds{"/add": func(s *holdfast.Session) { increment(s) }}

// inventedID is one that nobody gave out.
func inventedID(n int) string { return fmt.Sprintf("%026d", n) }

// An invented id ends within the time and after few calls, whatever nodes its cookie
// names and whatever fails.
func TestAnInventedIDEndsWhateverFails(t *testing.T) {
	for name, fault := range map[string]func(*scene){
		"nothing":         func(*scene) {},
		"a node is dead":  func(s *scene) { s.KillNode("n1") },
		"a node hangs":    func(s *scene) { s.FreezeNode("n1") },
		"both are dead":   func(s *scene) { s.KillNode("n1"); s.KillNode("n2") },
		"both were empty": func(s *scene) { s.EmptyNode("n1"); s.EmptyNode("n2") },
	} {
		t.Run(name, func(t *testing.T) {
			inEveryMode(t, 2, counting, func(s *scene) {
				s.send("app1", "/add")
				s.settle()
				fault(s)
				for i, hint := range []string{"", "-n1", "-n2", "-n9", "-n1.app1", "-n1.app9"} {
					began := time.Now()
					calls := s.count(ofASession, func() { s.present("app1", inventedID(i)+hint) })
					if took := time.Since(began); took > operationTimeout || calls > 10 {
						s.t.Errorf("%q: %d calls in %v", hint, calls, took)
					}
				}
			})
		})
	}
}

// Invented ids and nodes leave nothing behind: no node is added, and no lock stays.
func TestAnInventedIDLeavesNothingBehind(t *testing.T) {
	inEveryMode(t, 2, counting, func(s *scene) {
		s.Options.Locking.Mode = holdfast.LockAll
		s.restart("app1")
		for i := range 100 {
			s.present("app1", fmt.Sprintf("%s-x%d.app1", inventedID(i), i))
		}
		synctest.Wait()
		if got := len(s.Manager("app1").Nodes()); got != 2 {
			s.t.Errorf("there are %d nodes now", got)
		}
		for _, node := range s.nodes {
			for _, key := range s.Node(node).Keys() {
				if len(key) == storageKeySize || strings.HasPrefix(key, "lock:") {
					s.t.Errorf("%s has %s", node, key)
				}
			}
		}
	})
}

// Whether a node answers is asked for under a key of its own.
func TestProbesTouchNoSession(t *testing.T) {
	inEveryMode(t, 2, counting, func(s *scene) {
		s.send("app1", "/add")
		s.settle()
		probes := 0
		var mu sync.Mutex
		touched := s.count(func(call faultstore.Call) bool {
			mu.Lock()
			defer mu.Unlock()
			if call.Key == "holdfast-probe" && call.Verb == "head" {
				probes++
			}
			return writesASession(call)
		}, func() {
			s.FreezeNode("n1")
			s.present("app2", inventedID(1)) // somebody notices
			time.Sleep(time.Second)
			s.ThawNode("n1")
			time.Sleep(5 * time.Second)
		})
		if probes == 0 || touched != 0 {
			s.t.Errorf("%d probes, and %d writes to a session that nobody used", probes, touched)
		}
		for _, n := range s.Manager("app2").Nodes() {
			if n.State != "up" {
				s.t.Errorf("%s is %s", n.Name, n.State)
			}
		}
	})
}

// Of a node that hangs for a minute only those requests wait that were first.
func TestNobodyWaitsAgainForANodeThatHangs(t *testing.T) {
	inEveryMode(t, 2, counting, func(s *scene) {
		s.send("app1", "/add")
		s.settle()
		s.FreezeNode("n1")
		s.send("app1", "/add")
		for range 60 {
			time.Sleep(time.Second)
			began := time.Now()
			var all sync.WaitGroup
			for range 10 {
				all.Go(func() { wantStatus(s.t, s.bob.On("app1").Get("/add"), http.StatusOK) })
			}
			all.Wait()
			if took := time.Since(began); took > 20*time.Millisecond { // who met another change tries again
				s.t.Fatalf("requests waited %v", took)
			}
		}
		s.ThawNode("n1")
		time.Sleep(time.Minute)
	})
}

// What is not sent yet is bounded: who comes then waits until his own change is sent.
func TestABackupThatIsBehindHoldsRequestsBack(t *testing.T) {
	const most, users, delay = 4, 20, 100 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 1, 2)
		s.Options = &holdfast.Options{Sticky: true, BackupAsync: true, MaxUnsent: most}
		s.Handle(counting)
		var visitors []*holdfasttest.Client
		for range users {
			visitors = append(visitors, s.Client().On("app1"))
			wantStatus(t, visitors[len(visitors)-1].Get("/add"), http.StatusOK)
		}
		s.meet(func(_ context.Context, call faultstore.Call, next func() error) error {
			if writesASession(call) {
				time.Sleep(delay)
			}
			return next()
		})
		waited := 0
		for _, v := range visitors {
			began := time.Now()
			wantStatus(t, v.Get("/add"), http.StatusOK)
			if took := time.Since(began); took > 0 {
				waited++
			}
			if got := s.Manager("app1").Stats().Local.Unsent; got > most {
				t.Errorf("%d sessions are unsent, want %d at most", got, most)
			}
		}
		if waited < users/(most+2) || waited > users/2 {
			t.Errorf("%d of %d requests waited", waited, users)
		}
		s.disarm()
	})
}

// A program that is loaded anew again and again, in the middle of an outage, leaves
// no goroutine behind.
func TestAManagerThatIsShutDownLeavesNothingRunning(t *testing.T) {
	inEveryMode(t, 2, counting, func(s *scene) {
		s.KillServer("app2")
		m := s.Manager("app1")
		if err := m.Shutdown(s.t.Context()); err != nil {
			s.t.Error(err)
		}
		synctest.Wait()
		before := runtime.NumGoroutine()
		const times = 10
		for range times {
			s.restart("app1")
			s.FreezeNode("n1")
			s.send("app1", "/add")
			s.ThawNode("n1")
			if err := s.Manager("app1").Shutdown(s.t.Context()); err != nil {
				s.t.Error(err)
			}
		}
		synctest.Wait()
		if left := runtime.NumGoroutine() - before; left >= times/2 { // a few may just be ending
			buf := make([]byte, 1<<20)
			s.t.Errorf("%d goroutines are left:\n%s", left, buf[:runtime.Stack(buf, true)])
		}
	})
}

// A session that never ends by being idle costs no more than another one.
func TestASessionWithoutEndCostsNoMore(t *testing.T) {
	inEveryMode(t, 2, counting, func(s *scene) {
		s.Options.IdleTimeout = holdfast.Never
		s.restart("app1")
		s.send("app1", "/add")
		s.settle()
		for range 20 {
			calls := s.count(ofASession, func() { s.send("app1", "/") })
			if want := 2; calls > want {
				s.t.Errorf("a read is %d calls, want %d at most", calls, want)
			}
			time.Sleep(time.Minute)
		}
	})
}

// A change under a lock, with two copies: the lock, both copies twice, and the lock
// again. Sticky servers read too: another one may have had the lock.
func TestALockedChangeIsFewCalls(t *testing.T) {
	inEveryMode(t, 2, counting, func(s *scene) {
		s.Options.Locking.Mode = holdfast.LockAll
		s.restart("app1")
		for range 2 { // then the cookie names the home
			s.send("app1", "/add")
			s.settle()
		}
		calls := s.count(func(call faultstore.Call) bool {
			return ofASession(call) || strings.HasPrefix(call.Key, "lock:")
		}, func() { s.send("app1", "/add") })
		if calls != 6 {
			s.t.Errorf("%d calls, want 6", calls)
		}
	})
}

package holdfast_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// What memcached-session-manager loses, played in each mode of this package. The
// table of all its defects is docs/msm-defects.md.

// deeds is a program: what each of its paths does with the session. All show it.
type deeds map[string]func(*holdfast.Session)

func (d deeds) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := holdfast.From(r.Context())
	if do := d[r.URL.Path]; do != nil {
		do(s)
	}
	show(w, r, s)
}

// inEveryMode plays a scene of two servers, also with asynchronous backup.
func inEveryMode(t *testing.T, nodes int, program http.Handler, play func(*scene)) {
	t.Helper()
	async := holdfast.Options{Sticky: true, BackupAsync: true}
	for _, options := range []holdfast.Options{modes[0].options, modes[1].options, async} {
		t.Run(fmt.Sprintf("sticky %v, async %v", options.Sticky, options.BackupAsync), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, 2, nodes)
				options.OperationTimeout, options.IdleTimeout = operationTimeout, 2*time.Minute
				s.Options = &options
				s.Handle(program)
				play(s)
			})
		})
	}
}

// settle passes the time that asynchronous backup may take to send a change.
func (s *scene) settle() {
	if s.Options.BackupAsync {
		time.Sleep(time.Second)
	}
}

// cookie is the latest that bob got.
func (s *scene) cookie() string { return s.cookies[len(s.cookies)-1] }

// count counts the calls that match while do runs.
func (s *scene) count(match func(faultstore.Call) bool, do func()) int {
	var n atomic.Int64
	s.meet(func(_ context.Context, call faultstore.Call, next func() error) error {
		if match(call) {
			n.Add(1)
		}
		return next()
	})
	do()
	synctest.Wait()
	s.disarm()
	return int(n.Load())
}

// meet has all nodes pass each call through f.
func (s *scene) meet(f faultstore.Interceptor) {
	for _, node := range s.nodes {
		s.Node(node).Intercept(f)
	}
}

func ofASession(call faultstore.Call) bool { return len(call.Key) == storageKeySize }

func writesASession(call faultstore.Call) bool {
	return ofASession(call) && call.Verb != "get" && call.Verb != "head"
}

// Another server that takes a session over reads it, and moves nothing.
func TestATakeOverMovesNothing(t *testing.T) {
	program := deeds{"/set": func(s *holdfast.Session) { textKey.Set(s, "bob's") }}
	inEveryMode(t, 2, program, func(s *scene) {
		s.send("app1", "/set")
		s.settle()
		s.KillServer("app1")
		writes := s.count(writesASession, func() { wantBody(s.t, s.send("app2", "/"), "0|bob's||") })
		if writes != 0 {
			s.t.Errorf("%d writes, want none", writes)
		}
	})
}

// Requests of one session share no object: each is stored before its own answer.
func TestAShortRequestIsStoredWhileALongOneGoesOn(t *testing.T) {
	var long *pause
	program := deeds{
		"/long":  func(s *holdfast.Session) { otherKey.Set(s, "long"); long.here() },
		"/short": func(s *holdfast.Session) { textKey.Set(s, "short") },
	}
	inEveryMode(t, 2, program, func(s *scene) {
		s.send("app1", "/short")
		s.settle()
		long = newPause()
		done := make(chan int)
		go func() { done <- s.bob.On("app1").Get("/long").Code }()
		<-long.reached
		program["/again"] = func(s *holdfast.Session) { textKey.Set(s, "again") }
		s.send("app1", "/again")
		s.settle()
		wantBody(s.t, s.present("app2", s.cookie()), "0|again||")
		long.goOn <- struct{}{}
		if status := <-done; status != http.StatusOK {
			s.t.Errorf("the long request: status %d", status)
		}
		s.settle()
		wantBody(s.t, s.present("app2", s.cookie()), "0|again|long|")
	})
}

// No values are compared by a hash, or at all: what was set is stored.
func TestValuesOfOneHashAreAllStored(t *testing.T) {
	values := []string{"AaAa", "BBBB", "AaBB", "plumless", "buckeroo"} // of Java's strings and of CRC-32
	program := deeds{}
	for _, value := range values {
		program["/"+value] = func(s *holdfast.Session) { textKey.Set(s, value) }
	}
	inEveryMode(t, 2, program, func(s *scene) {
		for _, value := range values {
			s.send("app1", "/"+value)
			s.settle()
			wantBody(s.t, s.present("app2", s.cookie()), "0|"+value+"||")
		}
	})
}

// A login has its copy before its answer, also where backup is asynchronous, and
// nobody has to say how users log in. Only one that begins its session is
// asynchronous as any change.
func TestALoginHasItsCopyBeforeItsAnswer(t *testing.T) {
	program := deeds{
		"/cart":  func(s *holdfast.Session) { textKey.Set(s, "tea") },
		"/login": func(s *holdfast.Session) { s.Login("bob") },
	}
	for _, c := range []struct{ first, dies, want string }{
		{"/cart", "n1", "0|tea||bob"},
		{"/cart", "n2", "0|tea||bob"},
		{"/", "n1", "0|||bob"},
		{"/", "n2", "0|||bob"},
	} {
		t.Run(c.first+" first, and "+c.dies+" dies", func(t *testing.T) {
			inEveryMode(t, 2, program, func(s *scene) {
				s.send("app1", c.first)
				wantStatus(s.t, s.send("app1", "/login"), http.StatusOK)
				s.KillServer("app1")
				s.KillNode(c.dies)
				wantBody(s.t, s.send("app2", "/"), c.want)
			})
		})
	}
}

// A session whose user only reads, or loads pages that do not use it, is there when
// its server dies, and it ends when it should.
func TestASessionThatIsOnlyReadStaysOnTheNodes(t *testing.T) {
	program := http.NewServeMux()
	program.Handle("/", deeds{"/set": func(s *holdfast.Session) { textKey.Set(s, "bob's") }})
	program.HandleFunc("/unused", func(http.ResponseWriter, *http.Request) {})
	for _, path := range []string{"/read", "/unused"} {
		t.Run(path, func(t *testing.T) {
			inEveryMode(t, 2, program, func(s *scene) {
				s.send("app1", "/set")
				for range 16 { // 8 minutes with an idle timeout of 2
					time.Sleep(30 * time.Second)
					s.send("app1", path)
					synctest.Wait()
				}
				s.KillServer("app1")
				time.Sleep(100 * time.Second)
				wantBody(s.t, s.send("app2", "/read"), "0|bob's||")
				time.Sleep(130 * time.Second)
				wantBody(s.t, s.send("app2", "/read"), "0|||")
			})
		})
	}
}

// What a node refuses is refused to its user where that can still be said, and else
// counted. The nodes keep what they had.
func TestAChangeThatANodeRefusesIsSeen(t *testing.T) {
	program := deeds{
		"/small": func(s *holdfast.Session) { textKey.Set(s, "small") },
		"/large": func(s *holdfast.Session) { textKey.Set(s, "large") },
	}
	inEveryMode(t, 2, program, func(s *scene) {
		s.send("app1", "/small")
		s.settle()
		s.meet(func(_ context.Context, call faultstore.Call, next func() error) error {
			if call.Verb == "put" {
				return store.ErrTooLarge
			}
			return next()
		})
		w := s.send("app1", "/large")
		s.settle()
		s.disarm()
		local := s.Manager("app1").Stats().Local
		if s.Options.BackupAsync {
			wantStatus(s.t, w, http.StatusOK)
			if local.Dropped != 1 {
				s.t.Errorf("%d changes are counted as dropped, want 1", local.Dropped)
			}
		} else {
			wantStatus(s.t, w, http.StatusInternalServerError)
		}
		s.KillServer("app1")
		wantBody(s.t, s.send("app2", "/"), "0|small||")
	})
}

// A cookie leads to its session with another node's name in it, or none.
func TestACookieNeedsNoNode(t *testing.T) {
	program := deeds{"/set": func(s *holdfast.Session) { textKey.Set(s, "bob's") }}
	inEveryMode(t, 3, program, func(s *scene) {
		s.send("app1", "/set")
		s.settle()
		id, _, _ := strings.Cut(s.cookie(), "-")
		for _, hint := range []string{"", "-n1", "-n2", "-n3", "-n9", "-n9.app1", ".app1", ".app9"} {
			for _, server := range s.servers {
				wantBody(s.t, s.present(server, id+hint), "0|bob's||")
			}
		}
	})
}

package holdfast_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// A pair is two app servers on one store.
type pair struct {
	on    *tap
	here  *holdfast.Manager
	there *holdfast.Manager
}

func newPair(t *testing.T, opts *holdfast.Options) *pair {
	on := newTap()
	return &pair{on: on, here: newManager(t, on, opts), there: newManager(t, on, opts)}
}

// begin returns a browser with a session, asking the server here.
func (p *pair) begin(set func(*holdfast.Session)) *visitor {
	v := &visitor{cookie: beginSession(p.here, set)}
	return v.session(p.here, func(*holdfast.Session) {})
}

// E1: two requests in flight set different attributes.
func TestE1DifferentAttributesAreBothKept(t *testing.T) {
	for name, read := range map[string]func(*holdfast.Session){
		"both read first": func(s *holdfast.Session) { otherKey.Get(s) },
		"both just write": func(*holdfast.Session) {},
	} {
		t.Run(name, func(t *testing.T) {
			p, slow := newPair(t, nil), newPause()
			v := p.begin(func(s *holdfast.Session) { otherKey.Set(s, "old") })
			w := v.session(p.here, func(s *holdfast.Session) {
				read(s)
				increment(s)
				slow.here()
			}).during(slow, "/slow", func() {
				wantStatus(t, v.session(p.there, func(s *holdfast.Session) { read(s); textKey.Set(s, "fast") }).get("/fast"), http.StatusOK)
			})
			wantStatus(t, w, http.StatusOK)
			if got, want := stored(t, p.on, nil, v.sends()), "1|fast|old|"; got != want {
				t.Errorf("stored %q, want %q", got, want)
			}
		})
	}
}

// E2: a hundred increments, ten at a time, on two servers. No two of them are
// answered with the same value.
func TestE2AHundredIncrementsGiveAHundred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, nil)
		v := p.begin(func(s *holdfast.Session) { textKey.Set(s, "old") })
		count := page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
			increment(s)
			s.Commit()
			n, _ := numberKey.Get(s)
			fmt.Fprint(w, n)
		})
		p.on.set(slow(time.Millisecond)) // so that they meet
		var answers sync.Map
		var wg sync.WaitGroup
		for i := range 10 {
			browser := v.with([]*holdfast.Manager{p.here, p.there}[i%2].Handler(count))
			wg.Go(func() {
				for range 10 {
					w := browser.get("/")
					wantStatus(t, w, http.StatusOK)
					if _, before := answers.LoadOrStore(w.Body.String(), true); before {
						t.Errorf("two increments were answered with %s", w.Body)
					}
				}
			})
		}
		wg.Wait()
		p.on.set(bend{})
		if got, want := stored(t, p.on, nil, v.sends()), "100|old||"; got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
		if p.here.Stats().Replays == 0 {
			t.Error("the increments never met")
		}
	})
}

// E3: a request that only reads is in flight while another one writes; once as
// it is, and once when the read extends the session's life.
func TestE3AReadNeverOverwritesAWrite(t *testing.T) {
	for name, wait := range map[string]time.Duration{"fresh": 0, "life extended": 10 * time.Minute} {
		for which, read := range map[string]func(*holdfast.Session){
			"read": func(s *holdfast.Session) { textKey.Get(s) }, "not used": func(*holdfast.Session) {},
		} {
			t.Run(name+", "+which, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, slow := newPair(t, nil), newPause()
					v := p.begin(func(s *holdfast.Session) { textKey.Set(s, "old") })
					time.Sleep(wait)
					w := v.session(p.here, func(s *holdfast.Session) { read(s); slow.here() }).during(slow, "/read", func() {
						v.session(p.there, func(s *holdfast.Session) { textKey.Set(s, "new") }).get("/write")
					})
					wantStatus(t, w, http.StatusOK)
					synctest.Wait() // for what runs behind
					if got, want := stored(t, p.on, nil, v.sends()), "0|new||"; got != want {
						t.Errorf("stored %q, want %q", got, want)
					}
				})
			})
		}
	}
}

// E4: a slow request is in flight during a logout.
func TestE4ALogoutStays(t *testing.T) {
	for name, change := range map[string]func(*holdfast.Session){
		"set":    func(s *holdfast.Session) { textKey.Set(s, "late") },
		"update": func(s *holdfast.Session) { increment(s) },
		"clear":  func(s *holdfast.Session) { s.Clear() },
		"renew":  func(s *holdfast.Session) { s.Renew() },
		"login":  func(s *holdfast.Session) { s.Login("eve") },
		"do":     func(s *holdfast.Session) { s.Do(increment) },
		"idle":   func(s *holdfast.Session) { s.SetIdleTimeout(holdfast.Never) },
	} {
		t.Run(name, func(t *testing.T) {
			p, slow := newPair(t, nil), newPause()
			v := p.begin(func(s *holdfast.Session) { s.Login("bob"); textKey.Set(s, "old") })
			browser := v.session(p.here, func(s *holdfast.Session) { textKey.Get(s); slow.here(); change(s) })
			w := browser.during(slow, "/slow", func() {
				v.session(p.there, func(s *holdfast.Session) { s.Destroy() }).get("/logout")
			})
			wantStatus(t, w, http.StatusConflict)
			if got := w.Header()["Set-Cookie"]; got != nil {
				t.Errorf("the refused request set a cookie: %q", got)
			}
			if got, want := stored(t, p.on, nil, v.sends()), "0|||"; got != want {
				t.Errorf("stored %q: the login is back", got)
			}
			wantBody(t, v.with(p.here.Handler(page(show))).get("/"), "0|||")
		})
	}
}

// E5: a slow request is in flight while the session gets a new id.
func TestE5ARenewalLogsNobodyOutAndEndsTheFormerID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, slow := newPair(t, nil), newPause()
		v := p.begin(func(s *holdfast.Session) { s.Login("bob") })
		former := v.sends()
		renewing := v.session(p.there, func(s *holdfast.Session) { s.Renew() })
		w := v.session(p.here, func(s *holdfast.Session) { textKey.Set(s, "kept"); slow.here() }).during(slow, "/slow", func() {
			wantStatus(t, renewing.get("/renew"), http.StatusOK)
		})
		wantStatus(t, w, http.StatusOK)
		wantNoCookie(t, w)
		if renewing.sends() == former {
			t.Fatal("the renewal set no cookie")
		}
		if got, want := stored(t, p.on, nil, renewing.sends()), "0|kept||bob"; got != want {
			t.Errorf("under the new id %q, want %q", got, want)
		}
		// During the grace the former id is good for reads and changes, and none
		// of its requests gets a cookie, whatever it asks for.
		for _, change := range []func(*holdfast.Session){
			func(s *holdfast.Session) { textKey.Get(s) },
			func(s *holdfast.Session) { increment(s) },
			func(s *holdfast.Session) { s.Renew(); increment(s) },
			func(s *holdfast.Session) { s.Persist(time.Hour) },
		} {
			old := v.session(p.here, change)
			old.cookie = former
			w := old.get("/")
			wantStatus(t, w, http.StatusOK)
			wantNoCookie(t, w)
		}
		time.Sleep(9 * time.Second)
		if got, want := stored(t, p.on, nil, former), "2|kept||bob"; got != want {
			t.Errorf("under the former id within the grace %q, want %q", got, want)
		}
		time.Sleep(2 * time.Second)
		if got, want := stored(t, p.on, nil, former), "0|||"; got != want {
			t.Errorf("under the former id after the grace %q, want %q", got, want)
		}
		if got, want := stored(t, p.on, nil, renewing.sends()), "2|kept||bob"; got != want {
			t.Errorf("under the new id after the grace %q, want %q", got, want)
		}
	})
}

func wantNoCookie(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if got := w.Header()["Set-Cookie"]; got != nil {
		t.Errorf("cookie %q, want none", got)
	}
}

// E5 with a login: whoever planted the former id gains nothing.
func TestE5ALoginEndsTheFormerIDAtOnce(t *testing.T) {
	p, slow := newPair(t, nil), newPause()
	v := p.begin(func(s *holdfast.Session) { textKey.Set(s, "planted") })
	former := v.sends()
	login := v.session(p.there, func(s *holdfast.Session) { s.Login("bob") })
	w := v.session(p.here, func(s *holdfast.Session) { increment(s); slow.here() }).during(slow, "/slow", func() {
		wantStatus(t, login.get("/login"), http.StatusOK)
	})
	wantStatus(t, w, http.StatusConflict)
	wantNoCookie(t, w)
	if got, want := stored(t, p.on, nil, former), "0|||"; got != want {
		t.Errorf("under the former id %q, want nothing", got)
	}
	if got, want := stored(t, p.on, nil, login.sends()), "0|planted||bob"; got != want {
		t.Errorf("under the new id %q, want %q", got, want)
	}
}

// A request that was sent before the browser learned the new id must not begin
// a session whose cookie would take the place of the login's. Later the former
// id is one like any unknown one, and a login of its own is always possible.
func TestALateRequestDoesNotUndoALogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, nil)
		v := p.begin(func(s *holdfast.Session) { textKey.Set(s, "planted") })
		late := &visitor{cookie: v.cookie}
		v.session(p.there, func(s *holdfast.Session) { s.Login("bob") }).get("/login")

		w := late.session(p.here, increments).get("/late")
		wantStatus(t, w, http.StatusConflict)
		wantNoCookie(t, w)
		again := &visitor{cookie: late.cookie}
		if w := again.session(p.here, func(s *holdfast.Session) { s.Login("bob") }).get("/login"); w.Result().Cookies() == nil {
			t.Error("a second login got no session")
		}
		time.Sleep(11 * time.Second)
		if w := late.session(p.here, increments).get("/late"); w.Result().Cookies() == nil {
			t.Error("after the grace no session could be begun")
		}
	})
}

// The former id is dead at once where the options give it no grace.
func TestNoRenewGrace(t *testing.T) {
	p := newPair(t, &holdfast.Options{RenewGrace: -1})
	v := p.begin(func(s *holdfast.Session) { textKey.Set(s, "old") })
	former := v.sends()
	v = v.session(p.here, func(s *holdfast.Session) { s.Renew() })
	v.get("/")
	if got := stored(t, p.on, nil, former); got != "0|||" {
		t.Errorf("under the former id %q, want nothing", got)
	}
	if got := stored(t, p.on, nil, v.sends()); got != "0|old||" {
		t.Errorf("under the new id %q", got)
	}
}

// Two renewals at once: one wins, and neither request fails.
func TestRenewalsAtTheSameTime(t *testing.T) {
	p, slow := newPair(t, nil), newPause()
	v := p.begin(func(s *holdfast.Session) { textKey.Set(s, "old") })
	former := v.sends()
	fast := v.session(p.there, func(s *holdfast.Session) { s.Renew() })
	late := v.session(p.here, func(s *holdfast.Session) { s.Renew(); increment(s); slow.here() })
	w := late.during(slow, "/", func() { fast.get("/") })
	wantStatus(t, w, http.StatusOK)
	wantNoCookie(t, w)
	if late.sends() != former || fast.sends() == former {
		t.Error("the wrong one won")
	}
	if got := stored(t, p.on, nil, fast.sends()); got != "1|old||" {
		t.Errorf("stored %q", got)
	}
}

// Of two logins at once, one wins, and the other is told.
func TestLoginsAtTheSameTime(t *testing.T) {
	p, slow := newPair(t, nil), newPause()
	v := p.begin(func(s *holdfast.Session) { textKey.Set(s, "old") })
	fast := v.session(p.there, func(s *holdfast.Session) { s.Login("bob") })
	w := v.session(p.here, func(s *holdfast.Session) { s.Login("eve"); slow.here() }).during(slow, "/", func() { fast.get("/") })
	wantStatus(t, w, http.StatusConflict)
	wantNoCookie(t, w)
	if got := stored(t, p.on, nil, fast.sends()); got != "0|old||bob" {
		t.Errorf("stored %q", got)
	}
}

func TestLoginGivesEachUserANewID(t *testing.T) {
	p := newPair(t, nil)
	v := p.begin(func(s *holdfast.Session) { textKey.Set(s, "old") })
	for _, owner := range []string{"bob", "eve", "eve", ""} {
		former := v.sends()
		v = v.session(p.here, func(s *holdfast.Session) {
			s.Login(owner)
			if got := s.Owner(); got != owner {
				t.Errorf("owner %q before the commit, want %q", got, owner)
			}
		})
		v.get("/")
		if v.sends() == former {
			t.Errorf("Login(%q) kept the id", owner)
		}
		if got := stored(t, p.on, nil, former); got != "0|||" {
			t.Errorf("under the id before Login(%q): %q", owner, got)
		}
		if got := stored(t, p.on, nil, v.sends()); got != "0|old||"+owner {
			t.Errorf("after Login(%q): %q", owner, got)
		}
	}
}

// A renewal that is asked for while an earlier commit has no answer yet comes
// with the next one: a login never goes without its new id.
func TestALoginAfterAnUncertainCommitStillRenews(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	v := &visitor{cookie: beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })}
	former := v.sends()
	v = v.session(m, func(s *holdfast.Session) {
		increment(s)
		on.set(losePut(on, true))
		if err := s.Commit(); !errors.Is(err, holdfast.ErrUnknownOutcome) {
			t.Errorf("Commit: %v, want ErrUnknownOutcome", err)
		}
		s.Err()
		on.set(bend{})
		s.Login("bob")
	})
	wantStatus(t, v.get("/"), http.StatusOK)
	if got := stored(t, on, nil, former); got != "0|||" {
		t.Errorf("under the former id %q, want nothing", got)
	}
	if got := stored(t, on, nil, v.sends()); got != "1|old||bob" {
		t.Errorf("under the new id %q", got)
	}
}

// What the requests of a few sessions do at random, on two servers: what each
// request was told is what is stored.
func TestManyRequestsOfAFewSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, nil)
		var crowd [4]crowded
		for i := range crowd {
			crowd[i].visitor = p.begin(func(s *holdfast.Session) { textKey.Set(s, "old") })
		}
		p.on.set(slow(time.Millisecond)) // so that they meet
		var wg sync.WaitGroup
		for b := range 12 {
			rng := rand.New(rand.NewPCG(1, uint64(b)))
			wg.Go(func() {
				for range 60 {
					m := []*holdfast.Manager{p.here, p.there}[rng.IntN(2)]
					crowd[rng.IntN(len(crowd))].act(t, m, rng.IntN(6), b)
				}
			})
		}
		wg.Wait()
		p.on.set(bend{})
		for i := range crowd {
			if got, want := stored(t, p.on, nil, crowd[i].visitor.sends()), fmt.Sprintf("%d|old||", crowd[i].n.Load()); got != want {
				t.Errorf("session %d: stored %q, want %q", i, got, want)
			}
		}
		if stats := p.here.Stats(); stats.Failures != 0 || stats.Replays == 0 {
			t.Errorf("%d failures, %d replays; want none and some", stats.Failures, stats.Replays)
		}
	})
}

// A crowded session has many requests at once.
type crowded struct {
	visitor *visitor
	n       atomic.Int64 // increments that were answered with success
}

// act is one request of browser b.
func (c *crowded) act(t *testing.T, m *holdfast.Manager, what, b int) {
	added := int64(1)
	w := c.visitor.session(m, func(s *holdfast.Session) {
		switch what {
		case 0, 1:
			increment(s)
		case 2:
			s.Do(increment)
		case 3:
			holdfast.NewKey[int](fmt.Sprint("own", b)).Set(s, what)
			added = 0
		case 4:
			textKey.Get(s)
			added = 0
		case 5:
			increment(s)
			s.Commit()
			increment(s)
			added = 2
		}
	}).get("/")
	wantStatus(t, w, http.StatusOK)
	c.n.Add(added)
}

// The same with logouts: after the first one, nothing is there any more, ever.
func TestManyRequestsDuringALogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, nil)
		p.on.set(slow(time.Millisecond))
		for round := range 30 {
			v := p.begin(func(s *holdfast.Session) { s.Login("bob") })
			var wg sync.WaitGroup
			for b := range 6 {
				m := []*holdfast.Manager{p.here, p.there}[b%2]
				wg.Go(func() {
					w := v.session(m, func(s *holdfast.Session) {
						switch {
						case b == round%6:
							s.Destroy()
						case s.Exists():
							increment(s)
						}
					}).get("/")
					if w.Code != http.StatusOK && w.Code != http.StatusConflict {
						t.Errorf("status %d", w.Code)
					}
				})
			}
			wg.Wait()
			if got := stored(t, p.on, nil, v.sends()); got != "0|||" {
				t.Fatalf("after the logout of round %d: %q", round, got)
			}
		}
	})
}

// Of two sets of one attribute the later commit wins, and it is counted.
func TestOverwrittenSetsAreCounted(t *testing.T) {
	p, slow := newPair(t, nil), newPause()
	v := p.begin(func(s *holdfast.Session) { textKey.Set(s, "old"); otherKey.Set(s, "old") })
	v.session(p.here, func(s *holdfast.Session) {
		textKey.Set(s, "late")
		otherKey.Set(s, "late")
		slow.here()
	}).during(slow, "/", func() {
		v.session(p.there, func(s *holdfast.Session) { textKey.Set(s, "early") }).get("/")
	})
	if got := stored(t, p.on, nil, v.sends()); got != "0|late|late|" {
		t.Errorf("stored %q", got)
	}
	if got := p.here.Stats(); got.Overwritten != 1 || got.Replays != 1 {
		t.Errorf("%d overwritten, %d replays; want one each", got.Overwritten, got.Replays)
	}
}

// A function of Update's that refuses only on the newer value: the request
// fails with its error, and nothing is stored.
type refusal []string // an error that cannot be compared

func (r refusal) Error() string { return strings.Join(r, " ") }

func TestAnUpdateThatRefusesTheNewerValue(t *testing.T) {
	p, slow := newPair(t, nil), newPause()
	v := p.begin(func(s *holdfast.Session) { numberKey.Set(s, 1) })
	take := func(n *int) error {
		if *n < 1 {
			return refusal{"nothing", "left"}
		}
		*n--
		return nil
	}
	w := v.session(p.here, func(s *holdfast.Session) {
		numberKey.Update(s, take)
		slow.here()
		for range 3 {
			if err := s.Commit(); err == nil || err.Error() != "nothing left" {
				t.Errorf("Commit: %v, want the function's error", err)
			}
		}
	}).during(slow, "/", func() {
		v.session(p.there, func(s *holdfast.Session) { numberKey.Update(s, take) }).get("/")
	})
	wantStatus(t, w, http.StatusInternalServerError)
	if got := stored(t, p.on, nil, v.sends()); got != "0|||" {
		t.Errorf("stored %q", got)
	}
}

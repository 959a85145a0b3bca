package holdfast_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
)

// uncertain is what a commit with an unknown outcome may be of.
var uncertain = map[string]struct {
	begin  func(*holdfast.Session)
	change func(*holdfast.Session)
	stored string // with the number, and the attribute other
	writes int
}{
	"create": {func(*holdfast.Session) {}, func(s *holdfast.Session) { increment(s) }, "%d||%s|", 1},
	"change": {func(s *holdfast.Session) { textKey.Set(s, "old") }, func(s *holdfast.Session) { increment(s) }, "%d|old|%s|", 1},
	"renew":  {func(s *holdfast.Session) { textKey.Set(s, "old") }, func(s *holdfast.Session) { s.Renew(); increment(s) }, "%d|old|%s|", 2},
	"login":  {func(s *holdfast.Session) { textKey.Set(s, "old") }, func(s *holdfast.Session) { s.Login("bob"); increment(s) }, "%d|old|%s|bob", 2},
}

// A lost answer is that of one write of one commit.
type lostAnswer struct {
	on      *tap
	m       *holdfast.Manager
	v       *visitor
	change  func(*holdfast.Session) // and from the next commit on no answer
	stored  string
	certain bool // that nothing happened
}

// eachLostAnswer runs test for every write whose answer can be lost, with and
// without its effect.
func eachLostAnswer(t *testing.T, test func(*testing.T, lostAnswer)) {
	for name, c := range uncertain {
		for _, happens := range []bool{true, false} {
			for nth := range c.writes {
				t.Run(fmt.Sprintf("%s, write %d, happened %v", name, nth+1, happens), func(t *testing.T) {
					// The first write of a renewal lies where nothing leads to.
					l := lostAnswer{on: newTap(), stored: c.stored, certain: nth < c.writes-1}
					l.m = newManager(t, l.on, nil)
					l.v = &visitor{cookie: beginSession(l.m, c.begin)}
					l.change = func(s *holdfast.Session) {
						s.Exists() // loaded while all is well
						c.change(s)
						l.on.set(afterPuts(nth, l.on, losePut(l.on, happens)))
					}
					test(t, l)
				})
			}
		}
	}
}

// afterPuts bends the store like then after n puts that work.
func afterPuts(n int, on *tap, then bend) bend {
	if n == 0 {
		return then
	}
	return bend{put: func(_ context.Context, next func() (store.Version, error)) (store.Version, error) {
		on.set(afterPuts(n-1, on, then))
		return next()
	}}
}

// wantStored wants the session once, under cookie and under no former one.
func (l lostAnswer) wantStored(t *testing.T, cookie string, n int, other string) {
	t.Helper()
	if former := l.v.sends(); former != cookie && strings.Contains(l.stored, "bob") {
		if got := stored(t, l.on, nil, former); got != "0|||" {
			t.Errorf("after the login stored under the former id %q", got)
		}
	}
	if got, want := stored(t, l.on, nil, cookie), fmt.Sprintf(l.stored, n, other); got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

func TestCommitAgainFindsOutWhatBecameOfTheFirst(t *testing.T) {
	eachLostAnswer(t, func(t *testing.T, l lostAnswer) {
		v := l.v.session(l.m, func(s *holdfast.Session) {
			l.change(s)
			for range 3 {
				if err := s.Commit(); !errors.Is(err, holdfast.ErrUnavailable) || errors.Is(err, holdfast.ErrUnknownOutcome) == l.certain {
					t.Errorf("Commit: %v; certain: %v", err, l.certain)
				}
			}
			l.on.set(bend{})
			if err := s.Commit(); err != nil {
				t.Errorf("Commit again: %v", err)
			}
			s.Err()
		})
		wantStatus(t, v.get("/"), http.StatusOK)
		l.wantStored(t, v.sends(), 1, "")
	})
}

// What the request changes after it is neither lost nor doubled.
func TestChangesAfterAnUnknownOutcome(t *testing.T) {
	eachLostAnswer(t, func(t *testing.T, l lostAnswer) {
		v := l.v.session(l.m, func(s *holdfast.Session) {
			l.change(s)
			s.Commit()
			increment(s)
			s.Commit()
			s.Err()
			increment(s)
			otherKey.Set(s, "after")
			l.on.set(bend{})
		})
		wantStatus(t, v.get("/"), http.StatusOK)
		l.wantStored(t, v.sends(), 3, "after")
	})
}

// A logout after it ends the session whether the commit had happened or not.
func TestALogoutAfterAnUnknownOutcome(t *testing.T) {
	eachLostAnswer(t, func(t *testing.T, l lostAnswer) {
		former := l.v.sends()
		v := l.v.session(l.m, func(s *holdfast.Session) {
			l.change(s)
			s.Commit()
			s.Err()
			l.on.set(bend{})
			if err := s.Destroy(); err != nil {
				t.Errorf("Destroy: %v", err)
			}
		})
		wantStatus(t, v.get("/"), http.StatusOK)
		if got := stored(t, l.on, nil, former); got != "0|||" || v.sends() != "" {
			t.Errorf("after the logout stored %q, cookie %q", got, v.sends())
		}
	})
}

// The browser of a request with an unknown outcome loses nothing: neither the
// session that it had, nor its cookie.
func TestAnUnknownOutcomeAtTheHeader(t *testing.T) {
	eachLostAnswer(t, func(t *testing.T, l lostAnswer) {
		before := l.v.sends()
		v := l.v.session(l.m, l.change)
		wantStatus(t, v.get("/"), http.StatusServiceUnavailable)
		if v.sends() != before {
			t.Errorf("the cookie has become %q, want %q", v.sends(), before)
		}
	})
}

// Random faults: whatever was acknowledged is there once; what was not is there
// once or not at all.
func TestRandomFaultsLoseAndDoubleNothing(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			on := newTap()
			managers := []*holdfast.Manager{newManager(t, on, nil), newManager(t, on, nil)}
			v := &visitor{cookie: beginSession(managers[0], func(s *holdfast.Session) { textKey.Set(s, "old") })}
			on.set(randomFaults(rand.New(rand.NewPCG(seed, 0))))
			var mu sync.Mutex
			acknowledged, open := 0, 0
			var wg sync.WaitGroup
			for b := range 4 {
				wg.Go(func() {
					for n := range 25 {
						err := insistentIncrement(v, managers[(b+n)%2])
						mu.Lock()
						switch {
						case err == nil:
							acknowledged++
						case errors.Is(err, holdfast.ErrUnknownOutcome):
							open++
						}
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			on.set(bend{})
			var n int
			v.session(managers[0], func(s *holdfast.Session) { n, _ = numberKey.Get(s) }).get("/")
			if n < acknowledged || n > acknowledged+open || acknowledged < 50 {
				t.Errorf("stored %d, %d acknowledged and %d unknown", n, acknowledged, open)
			}
		})
	}
}

// insistentIncrement increments in one request, and commits until it is done or
// cannot be.
func insistentIncrement(v *visitor, m *holdfast.Manager) (err error) {
	v.session(m, func(s *holdfast.Session) {
		if err = increment(s); err != nil {
			return
		}
		for range 5 {
			if err = s.Commit(); err == nil {
				return
			}
		}
		s.Err()
	}).get("/")
	return err
}

// randomFaults refuses some operations, and loses the answers of others.
func randomFaults(rng *rand.Rand) bend {
	var mu sync.Mutex
	roll := func() int {
		mu.Lock()
		defer mu.Unlock()
		return rng.IntN(100)
	}
	return bend{
		get: func(_ context.Context, next func() (store.Item, error)) (store.Item, error) {
			if roll() < 15 {
				return store.Item{}, store.ErrUnavailable
			}
			return next()
		},
		put: func(_ context.Context, next func() (store.Version, error)) (store.Version, error) {
			switch n := roll(); {
			case n < 10:
				return store.Version{}, store.ErrUnavailable
			case n < 25:
				return store.Version{}, store.ErrUnknownOutcome
			case n < 40:
				next()
				return store.Version{}, store.ErrUnknownOutcome
			}
			return next()
		},
	}
}

// manyErrors is an error that cannot be compared, as users may have.
type manyErrors []error

func (manyErrors) Error() string { return "refused" }

// Refresh settles a commit, and an update of it that runs again may refuse with
// any error.
func TestRefreshReturnsAnErrorThatCannotBeCompared(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	refused := false
	v := visit(m, func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		numberKey.Update(s, func(n *int) error {
			if refused {
				return manyErrors{holdfast.ErrConflict}
			}
			*n++
			return nil
		})
		on.set(losePut(on, false))
		s.Commit()
		s.Err()
		on.set(bend{})
		refused = true
		if err := m.With(t.Context(), s.ID(), increment); err != nil {
			t.Fatal(err)
		}
		if _, ok := errors.AsType[manyErrors](s.Refresh()); !ok {
			t.Error("Refresh did not return what the update refused with")
		}
	})
	v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
	wantStatus(t, v.get("/"), http.StatusOK)
	if got, want := stored(t, on, nil, v.sends()), "1|old||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

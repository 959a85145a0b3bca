package holdfast_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/holdfast-sessions/holdfast"
)

var errTooLow = errors.New("balance too low")

// withdraw takes one from the balance by read, decision and set.
func withdraw(s *holdfast.Session) error {
	balance, _ := numberKey.Get(s)
	if balance < 1 {
		return errTooLow
	}
	taken, _ := textKey.Get(s)
	textKey.Set(s, taken+"x")
	return numberKey.Set(s, balance-1)
}

func TestWithdrawalsNeverGoBelowZero(t *testing.T) {
	p := newPair(t, nil)
	v := p.begin(func(s *holdfast.Session) { numberKey.Set(s, 20) })
	var paid, refused atomic.Int32
	var wg sync.WaitGroup
	for i := range 50 {
		m := []*holdfast.Manager{p.here, p.there}[i%2]
		wg.Go(func() {
			wantStatus(t, v.session(m, func(s *holdfast.Session) {
				switch err := s.Do(withdraw); {
				case err == nil:
					paid.Add(1)
				case errors.Is(err, errTooLow):
					refused.Add(1)
				default:
					t.Errorf("Do: %v", err)
				}
			}).get("/"), http.StatusOK)
		})
	}
	wg.Wait()
	if paid.Load() != 20 || refused.Load() != 30 {
		t.Errorf("%d paid, %d refused; want 20 and 30", paid.Load(), refused.Load())
	}
	if got, want := stored(t, p.on, nil, v.sends()), "0|xxxxxxxxxxxxxxxxxxxx||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

func TestDoCommits(t *testing.T) {
	for name, c := range map[string]struct {
		begin  func(*holdfast.Session)
		do     func(*holdfast.Session) error
		log    string // of the store
		stored string
	}{
		"begins a session": {func(*holdfast.Session) {}, increment, "put", "1|||"},
		"changes one":      {func(s *holdfast.Session) { textKey.Set(s, "old") }, increment, "get put", "1|old||"},
		"changes nothing":  {func(s *holdfast.Session) { textKey.Set(s, "old") }, func(*holdfast.Session) error { return nil }, "get", "0|old||"},
		"keeps its settings": {func(s *holdfast.Session) { textKey.Set(s, "old") }, func(s *holdfast.Session) error {
			s.Clear()
			s.SetIdleTimeout(holdfast.Never)
			return increment(s)
		}, "get put", "1|||"},
	} {
		t.Run(name, func(t *testing.T) {
			on := newTap()
			m := newManager(t, on, nil)
			v := &visitor{cookie: beginSession(m, c.begin)}
			v = v.session(m, func(s *holdfast.Session) {
				on.drain()
				if err := s.Do(c.do); err != nil {
					t.Errorf("Do: %v", err)
				}
				if log := on.drain(); log != c.log {
					t.Errorf("asked the store to %s, want %s", log, c.log)
				}
			})
			wantStatus(t, v.get("/"), http.StatusOK)
			if log := on.drain(); log != "" {
				t.Errorf("after Do asked the store to %s", log)
			}
			if got := stored(t, on, nil, v.sends()); got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
		})
	}
}

// An error of the function's is the caller's business, not the session's; what
// the function changed is forgotten, and what came before it is not.
func TestAnErrorOfDosFunctionForgetsItsChanges(t *testing.T) {
	for name, begin := range map[string]func(*holdfast.Session){
		"no session": func(*holdfast.Session) {}, "session": func(s *holdfast.Session) { increment(s) },
	} {
		t.Run(name, func(t *testing.T) {
			on := newTap()
			m := newManager(t, on, nil)
			v := &visitor{cookie: beginSession(m, begin)}
			v = v.session(m, func(s *holdfast.Session) {
				textKey.Set(s, "before")
				err := s.Do(func(s *holdfast.Session) error {
					if got, _ := textKey.Get(s); got != "before" {
						t.Errorf("Do sees %q of what came before it", got)
					}
					textKey.Set(s, "half")
					otherKey.Set(s, "half")
					return errTooLow
				})
				if err != errTooLow {
					t.Errorf("Do: %v, want the function's error", err)
				}
				if got, _ := textKey.Get(s); got != "before" {
					t.Errorf("after Do text is %q", got)
				}
			})
			wantStatus(t, v.get("/"), http.StatusOK)
			want := map[string]string{"no session": "0|before||", "session": "1|before||"}[name]
			if got := stored(t, on, nil, v.sends()); got != want {
				t.Errorf("stored %q, want %q", got, want)
			}
		})
	}
	t.Run("nothing before it", func(t *testing.T) {
		on := newTap()
		v := (&visitor{}).session(newManager(t, on, nil), func(s *holdfast.Session) {
			s.Do(func(s *holdfast.Session) error { increment(s); return errTooLow })
			if s.Exists() || s.IsNew() || s.ID() != "" {
				t.Error("the session that the function began is there")
			}
		})
		v.get("/")
		if v.sends() != "" || on.drain() != "" {
			t.Errorf("cookie %q", v.sends())
		}
	})
}

func TestDosFunctionRunsAgainOnTheNewerSession(t *testing.T) {
	for name, c := range map[string]struct {
		balance int
		err     error
		stored  string
	}{
		"and agrees":  {2, nil, "0|xx|before|"},
		"and refuses": {1, errTooLow, "0|x|before|"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, nil)
			v := p.begin(func(s *holdfast.Session) { numberKey.Set(s, c.balance) })
			runs := 0
			w := v.session(p.here, func(s *holdfast.Session) {
				otherKey.Set(s, "before")
				err := s.Do(func(s *holdfast.Session) error {
					if runs++; runs == 1 {
						v.session(p.there, func(s *holdfast.Session) { s.Do(withdraw) }).get("/")
					}
					return withdraw(s)
				})
				if err != c.err {
					t.Errorf("Do: %v, want %v", err, c.err)
				}
			}).get("/")
			wantStatus(t, w, http.StatusOK)
			if runs != 2 {
				t.Errorf("the function ran %d times, want twice", runs)
			}
			if got := stored(t, p.on, nil, v.sends()); got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
		})
	}
}

// What commits by itself is refused inside of Do, at once and without harm.
func TestInsideDoNothingCommits(t *testing.T) {
	for name, forbidden := range map[string]func(*holdfast.Session) error{
		"Do":      func(s *holdfast.Session) error { return s.Do(increment) },
		"Commit":  (*holdfast.Session).Commit,
		"Refresh": (*holdfast.Session).Refresh,
		"Renew":   (*holdfast.Session).Renew,
		"Destroy": (*holdfast.Session).Destroy,
		"Login":   func(s *holdfast.Session) error { return s.Login("eve") },
	} {
		t.Run(name, func(t *testing.T) {
			on := newTap()
			m := newManager(t, on, nil)
			v := &visitor{cookie: beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })}
			former := v.sends()
			v = v.session(m, func(s *holdfast.Session) {
				err := s.Do(func(s *holdfast.Session) error {
					if err := forbidden(s); err == nil || !errors.Is(s.Err(), err) {
						t.Errorf("%s inside Do: %v, kept %v", name, err, s.Err())
					}
					return increment(s) // the error is ignored
				})
				if err != nil {
					t.Errorf("Do: %v", err)
				}
			})
			wantStatus(t, v.get("/"), http.StatusOK)
			wantStored := "1|old||" // and in particular no owner without a new id
			if got := stored(t, on, nil, v.sends()); got != wantStored || v.sends() != former {
				t.Errorf("stored %q under %q, want %q under %q", got, v.sends(), wantStored, former)
			}
		})
	}
}

func TestAnAnswerInsideDoBecomesAnErrorPage(t *testing.T) {
	m := newManager(t, nil, nil)
	w := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		s.Do(func(s *holdfast.Session) error {
			increment(s)
			fmt.Fprint(w, "nothing of this is stored yet")
			return nil
		})
	}).get("/")
	wantStatus(t, w, http.StatusInternalServerError)
}

// A decision that could not be stored when it was made is not stored later:
// what it was based on may be no longer so.
func TestADecisionThatWasNotStoredIsForgotten(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	v := &visitor{cookie: beginSession(m, func(s *holdfast.Session) { numberKey.Set(s, 1) })}
	v = v.session(m, func(s *holdfast.Session) {
		otherKey.Set(s, "before")
		on.set(down())
		if err := s.Do(withdraw); !errors.Is(err, holdfast.ErrUnavailable) || errors.Is(err, holdfast.ErrUnknownOutcome) {
			t.Errorf("Do: %v, want ErrUnavailable", err)
		}
		s.Err()
		on.set(bend{})
		v.session(m, func(s *holdfast.Session) { numberKey.Set(s, 0); textKey.Set(s, "theirs") }).get("/")
		if err := s.Commit(); err != nil {
			t.Errorf("Commit: %v", err)
		}
	})
	wantStatus(t, v.get("/"), http.StatusOK)
	if got, want := stored(t, on, nil, v.sends()), "0|theirs|before|"; got != want {
		t.Errorf("stored %q, want the other's withdrawal, and what came before ours: %q", got, want)
	}
}

// A decision with an unknown outcome is found out by the next commit: it is
// made again if it was not stored, and changes after it are kept in any case.
func TestADecisionWithAnUnknownOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		happened bool
		balance  int
		others   int // withdrawals of others in between
		err      error
		stored   string
	}{
		"happened":                       {true, 2, 0, nil, "1|x|after|"},
		"happened, others since":         {true, 3, 2, nil, "0|xxx|after|"},
		"did not happen":                 {false, 2, 0, nil, "1|x|after|"},
		"did not happen, others since":   {false, 3, 2, nil, "0|xxx|after|"},
		"did not happen, no longer true": {false, 1, 1, errTooLow, "0|x|after|"},
	} {
		t.Run(name, func(t *testing.T) {
			on := newTap()
			m := newManager(t, on, nil)
			v := &visitor{cookie: beginSession(m, func(s *holdfast.Session) { numberKey.Set(s, c.balance) })}
			v = v.session(m, func(s *holdfast.Session) {
				numberKey.Get(s)
				on.set(losePut(on, c.happened))
				if err := s.Do(withdraw); !errors.Is(err, holdfast.ErrUnknownOutcome) {
					t.Errorf("Do: %v, want ErrUnknownOutcome", err)
				}
				otherKey.Set(s, "after")
				on.set(bend{})
				for range c.others {
					v.session(m, func(s *holdfast.Session) { s.Do(withdraw) }).get("/")
				}
				if err := s.Commit(); err != c.err {
					t.Errorf("Commit: %v, want %v", err, c.err)
				}
				if got, _ := otherKey.Get(s); got != "after" {
					t.Errorf("what came after the decision shows as %q", got)
				}
				s.Commit()
				s.Err()
			})
			wantStatus(t, v.get("/"), http.StatusOK)
			if got := stored(t, on, nil, v.sends()); got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
		})
	}
}

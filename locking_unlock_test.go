package holdfast_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/holdfast-sessions/holdfast"
)

// What was set under a lock and refused by its fence must not be stored without the
// fence, only because Unlock has ended the lock.
func TestUnlockThatFailedKeepsItsFence(t *testing.T) {
	inLockPair(t, lockAll, func(p *lockPair) {
		p.does(0, func(s *holdfast.Session) {
			addOne(s) // 0 -> 1
			// Somebody without a lock adds one, too.
			other := newManager(t, p.on, nil)
			p.visitor.session(other, addOne).get("/other")
			if err := s.Unlock(); !errors.Is(err, holdfast.ErrLockLost) {
				t.Errorf("Unlock: %v, want ErrLockLost", err)
			}
			s.Err() // the handler answers for it
			textKey.Set(s, "stream")
			if err := s.Commit(); err == nil {
				t.Error("what the fence refused was stored after Unlock")
			}
			s.Err()
			addOne(s)
		}).get("/")
		if got := stored(t, p.on, nil, p.visitor.sends()); got != "1|old||" {
			t.Errorf("stored %q", got)
		}
	})
}

// A plain stream that unlocks and ignores Unlock's error.
func TestUnlockThatFailedLosesAnUpdate(t *testing.T) {
	inLockPair(t, lockAll, func(p *lockPair) {
		other := newManager(t, p.on, nil)
		p.visitor.session(other, func(s *holdfast.Session) { numberKey.Set(s, 7) }).get("/")
		v := &visitor{cookie: p.visitor.sends(), handler: p.managers[0].Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
			addOne(s) // 7 -> 8, under the lock
			p.visitor.session(other, func(s *holdfast.Session) { numberKey.Set(s, 100) }).get("/")
			if err := s.Unlock(); err != nil && s.Err() != nil {
				w.WriteHeader(http.StatusConflict) // this handler answers for it
			}
			textKey.Set(s, "afterwards")
		}))}
		v.get("/")
		if got := stored(t, p.on, nil, p.visitor.sends()); got == "8|afterwards||" {
			t.Errorf("stored %q: an acknowledged update to 100 was lost to a change that ErrLockLost had refused", got)
		}
	})
}

func TestUnlockAfterALockThatFailed(t *testing.T) {
	inLockPair(t, holdfast.Options{}, func(p *lockPair) {
		p.locked(func() {
			v := &visitor{cookie: p.visitor.sends(), handler: p.managers[1].Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
				addOne(s)
				if err := s.Lock(); err == nil {
					t.Error("Lock did not fail")
				}
				s.Unlock()
				s.Err()
				w.WriteHeader(http.StatusTeapot)
				textKey.Set(s, "after")
			}))}
			v.get("/")
		})
		got := stored(t, p.on, nil, p.visitor.sends())
		t.Log(got)
		if got != "1|old||" {
			t.Errorf("stored %q: after a Lock that failed, changes are not stored, says its documentation", got)
		}
	})
}

// Lock reads the session again: it may be gone by then.
func TestLockOfASessionThatWasEndedMeanwhile(t *testing.T) {
	inLockPair(t, holdfast.Options{}, func(p *lockPair) {
		cookie := p.visitor.sends()
		w := p.does(0, func(s *holdfast.Session) {
			textKey.Get(s)
			p.does(1, func(s *holdfast.Session) { s.Destroy() }).get("/logout")
			err := s.Lock()
			t.Logf("%v: %d; ErrNoSession %t ErrDestroyed %t", err, holdfast.StatusOf(err), errors.Is(err, holdfast.ErrNoSession), errors.Is(err, holdfast.ErrDestroyed))
		}).get("/")
		p.visitor.cookie = cookie
		wantStatus(t, w, http.StatusConflict)
	})
}

// An ignored request inside of another manager.
func TestIgnoredInside(t *testing.T) {
	outer := newManager(t, newTap(), &holdfast.Options{Cookie: holdfast.Cookie{Name: "outer"}})
	inner := newManager(t, newTap(), &holdfast.Options{Cookie: holdfast.Cookie{Name: "inner"}, IgnoreRequest: func(*http.Request) bool { return true }})
	h := outer.Handler(inner.Handler(page(func(_ http.ResponseWriter, r *http.Request, s *holdfast.Session) {
		textKey.Set(s, "leaked")
	})))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if c := w.Header().Get("Set-Cookie"); c != "" {
		t.Errorf("an ignored request got %s", c)
	}
}

package holdfast_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
)

const timeout = 500 * time.Millisecond // the default OperationTimeout

// slow is a store that takes d for each operation.
func slow(d time.Duration) bend {
	wait := func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", store.ErrUnknownOutcome, ctx.Err())
		}
	}
	write := func(ctx context.Context, next func() (store.Version, error)) (store.Version, error) {
		if err := wait(ctx); err != nil {
			return store.Version{}, err
		}
		return next()
	}
	return bend{
		get: func(ctx context.Context, next func() (store.Item, error)) (store.Item, error) {
			if err := wait(ctx); err != nil {
				return store.Item{}, err
			}
			return next()
		},
		put:   write,
		touch: write,
	}
}

// What a request waits in all, whatever it does and however the store hangs.
func TestARequestWaitsNoLongerThanOperationTimeout(t *testing.T) {
	everything := func(s *holdfast.Session) {
		textKey.Get(s)
		increment(s)
		s.Commit()
		s.Do(increment)
		s.Refresh()
		s.Renew()
		s.Commit()
		s.Destroy()
		s.Exists()
	}
	hangAfter := func(n int) func(*tap) {
		return func(on *tap) { on.set(afterPuts(n, on, hung())) }
	}
	for name, c := range map[string]struct {
		bend  func(on *tap)
		serve func(http.ResponseWriter, *holdfast.Session)
		wait  time.Duration
	}{
		"hung, read":              {hangAll, func(_ http.ResponseWriter, s *holdfast.Session) { textKey.Get(s) }, timeout},
		"hung, change":            {hangAll, func(_ http.ResponseWriter, s *holdfast.Session) { textKey.Set(s, "x") }, timeout},
		"hung, everything":        {hangAll, func(_ http.ResponseWriter, s *holdfast.Session) { everything(s) }, timeout},
		"hung, not used":          {hangAll, func(http.ResponseWriter, *holdfast.Session) {}, 0},
		"hung from the commit on": {hangAfter(0), func(_ http.ResponseWriter, s *holdfast.Session) { everything(s) }, timeout},
		"hung from the second on": {hangAfter(1), func(_ http.ResponseWriter, s *holdfast.Session) { everything(s) }, timeout},
		"hung, use goes on after the error page": {hangAll, func(w http.ResponseWriter, s *holdfast.Session) {
			textKey.Get(s)
			io.WriteString(w, "page")
			everything(s)
		}, timeout},
		"hung at the commit, use goes on after the error page": {hangAfter(0), func(w http.ResponseWriter, s *holdfast.Session) {
			increment(s)
			io.WriteString(w, "page")
			everything(s)
		}, timeout},
		"hung, hijack": {hangAfter(0), func(w http.ResponseWriter, s *holdfast.Session) {
			time.Sleep(time.Second) // is not the session's
			increment(s)
			http.NewResponseController(w).Hijack()
			s.Commit()
		}, timeout + time.Second},
		"slow, load and commit": {slowly(200 * time.Millisecond), func(_ http.ResponseWriter, s *holdfast.Session) { increment(s) }, 400 * time.Millisecond},
		"slow, everything":      {slowly(200 * time.Millisecond), func(_ http.ResponseWriter, s *holdfast.Session) { everything(s) }, timeout},
		"slow, hijack": {slowly(300 * time.Millisecond), func(w http.ResponseWriter, s *holdfast.Session) {
			increment(s)
			http.NewResponseController(w).Hijack()
		}, timeout},
		"hung, goroutines": {hangAll, func(_ http.ResponseWriter, s *holdfast.Session) {
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() { everything(s) })
			}
			wg.Wait()
		}, timeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				on := newTap()
				m := newManager(t, on, nil)
				v := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) { c.serve(w, s) })
				v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
				c.bend(on)
				start := time.Now()
				v.get("/")
				if took := time.Since(start); took < c.wait || took > c.wait+time.Millisecond { // polling a held session
					t.Errorf("the request took %v, want %v", took, c.wait)
				}
				synctest.Wait()
				on.set(bend{})
			})
		})
	}
}

func hangAll(on *tap) { on.set(hung()) }

func slowly(d time.Duration) func(*tap) { return func(on *tap) { on.set(slow(d)) } }

func TestOperationTimeoutIsAnOption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		m := newManager(t, on, &holdfast.Options{OperationTimeout: 2 * time.Second})
		v := visit(m, show)
		v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
		on.set(hung())
		start := time.Now()
		wantStatus(t, v.get("/"), http.StatusServiceUnavailable)
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("the request took %v, want 2s", took)
		}
	})
}

// A stream may go on for hours: each piece of its work has the whole time, and
// it finds its session again when the store is back.
func TestAStreamOutlivesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		m := newManager(t, on, nil)
		v := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
			increment(s)
			w.(http.Flusher).Flush()
			for range 3 {
				on.set(hung())
				start := time.Now()
				if err := s.Refresh(); !errors.Is(err, holdfast.ErrUnavailable) {
					t.Errorf("Refresh: %v, want ErrUnavailable", err)
				}
				if took := time.Since(start); took != timeout {
					t.Errorf("Refresh took %v, want %v", took, timeout)
				}
				on.set(slow(200 * time.Millisecond))
				increment(s)
				if err := s.Commit(); err != nil {
					t.Errorf("Commit: %v", err)
				}
			}
			s.Err()
		})
		v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
		wantStatus(t, v.get("/"), http.StatusOK)
		on.set(bend{})
		if got := stored(t, on, nil, v.sends()); got != "4|old||" {
			t.Errorf("stored %q", got)
		}
	})
}

func TestAStreamWhoseFirstLoadFailedTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		m := newManager(t, on, nil)
		v := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
			w.(http.Flusher).Flush()
			on.set(hung())
			if _, err := textKey.Lookup(s); !errors.Is(err, holdfast.ErrUnavailable) {
				t.Errorf("Lookup: %v, want ErrUnavailable", err)
			}
			on.set(bend{})
			if text, err := textKey.Lookup(s); text != "old" || err != nil {
				t.Errorf("Lookup later: %q, %v", text, err)
			}
			s.Err()
		})
		v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
		v.get("/")
	})
}

// The client went away: nobody waits for its load any more, and the store is
// not to blame.
func TestALoadEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBook
		on := newTap()
		m := newManager(t, on, &holdfast.Options{Logger: log.logger()})
		v := visit(m, show)
		v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
		on.set(hung())
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		time.AfterFunc(50*time.Millisecond, cancel)
		start := time.Now()
		v.send(httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		if took := time.Since(start); took != 50*time.Millisecond {
			t.Errorf("the request took %v, want 50ms", took)
		}
		if log.String() != "" {
			t.Errorf("log: %s", log.String())
		}
	})
}

// A function of Update's that uses the session itself must not hang for ever
// when it runs again in the middle of a commit.
func TestAFunctionThatCommitsInsideUpdateDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, nil)
		v := p.begin(func(s *holdfast.Session) { numberKey.Set(s, 1) })
		w := v.session(p.here, func(s *holdfast.Session) {
			numberKey.Update(s, func(n *int) error {
				*n++
				return s.Commit()
			})
			v.session(p.there, func(s *holdfast.Session) { increment(s) }).get("/")
		}).get("/")
		wantStatus(t, w, http.StatusServiceUnavailable)
	})
}

package holdfast_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// A trouble is one way in which a session can fail a handler. The session has
// text "old" before.
type trouble struct {
	happen func(e *env, s *holdfast.Session) // in the handler
	err    error
	status int
	after  string // what is stored when all is well again
}

// An env is what a trouble can disturb.
type env struct {
	on *tap
	m  *holdfast.Manager
	v  *visitor
}

// meanwhile is another request of the same visitor, on the same server.
func (e *env) meanwhile(serve func(*holdfast.Session)) { e.v.session(e.m, serve).get("/") }

var errAny = errors.New("any error")

var troubles = map[string]trouble{
	"the store does not answer a read": {func(e *env, s *holdfast.Session) {
		e.on.set(down())
		textKey.Get(s)
	}, holdfast.ErrUnavailable, 503, "0|old||"},
	"the store does not answer the load before a change": {func(e *env, s *holdfast.Session) {
		e.on.set(down())
		textKey.Set(s, "new")
	}, holdfast.ErrUnavailable, 503, "0|old||"},
	"the store refuses a change": {func(e *env, s *holdfast.Session) {
		textKey.Set(s, "new")
		e.on.set(down())
	}, holdfast.ErrUnavailable, 503, "0|old||"},
	"nobody knows whether a change happened": {func(e *env, s *holdfast.Session) {
		textKey.Set(s, "new")
		e.on.set(bend{put: func(_ context.Context, next func() (store.Version, error)) (store.Version, error) {
			next()
			e.on.set(down())
			return store.Version{}, store.ErrUnknownOutcome
		}})
	}, holdfast.ErrUnknownOutcome, 503, "0|new||"},
	"the store has no memory": {func(e *env, s *holdfast.Session) {
		textKey.Set(s, "new")
		e.on.set(failPut(store.ErrFull))
	}, holdfast.ErrUnavailable, 503, "0|old||"},
	"the logout is not answered": {func(e *env, s *holdfast.Session) {
		textKey.Get(s)
		e.on.set(down())
		s.Destroy()
	}, holdfast.ErrUnavailable, 503, "0|old||"},
	"the manager is shut down": {func(e *env, s *holdfast.Session) {
		e.m.Shutdown(context.Background())
		textKey.Get(s)
	}, holdfast.ErrClosed, 503, "0|old||"},
	"the record is of a later format": {func(e *env, s *holdfast.Session) {
		e.on.set(bend{get: func(_ context.Context, next func() (store.Item, error)) (store.Item, error) {
			item, err := next()
			item.Value[2]++
			return item, err
		}})
		textKey.Get(s)
	}, holdfast.ErrUnreadable, 500, "0|old||"},
	"an attribute is of another type": {func(_ *env, s *holdfast.Session) {
		holdfast.NewKey[bool]("text").Get(s)
	}, holdfast.ErrUnreadable, 500, "0|old||"},
	"a value cannot be encoded": {func(_ *env, s *holdfast.Session) {
		textKey.Get(s)
		holdfast.NewKey[chan int]("channel").Set(s, nil)
	}, errAny, 500, "0|old||"},
	"a session is too large": {func(e *env, s *holdfast.Session) {
		textKey.Set(s, "new")
		e.on.set(failPut(&store.SizeError{Size: 2, Limit: 1}))
	}, holdfast.ErrTooLarge, 500, "0|old||"},
	"another request ends the session": {func(e *env, s *holdfast.Session) {
		textKey.Set(s, "new")
		e.meanwhile(func(s *holdfast.Session) { s.Destroy() })
	}, holdfast.ErrDestroyed, 409, "0|||"},
	"another request logs in": {func(e *env, s *holdfast.Session) {
		textKey.Set(s, "new")
		e.meanwhile(func(s *holdfast.Session) { s.Login("bob") })
	}, holdfast.ErrRenewed, 409, "0|||"},
	"the store loses the session": {func(e *env, s *holdfast.Session) {
		textKey.Set(s, "new")
		e.on.Store.(*memorystore.Store).Clear()
	}, holdfast.ErrNoSession, 409, "0|||"},
}

func failPut(err error) bend {
	return bend{put: func(context.Context, func() (store.Version, error)) (store.Version, error) {
		return store.Version{}, err
	}}
}

// meet has a handler meet the trouble. outer is what stands around the manager's handler.
func (c trouble) meet(t *testing.T, opts holdfast.Options, handle func(http.ResponseWriter, *holdfast.Session, func())) (*httptest.ResponseRecorder, *env) {
	e := &env{on: newTap()}
	e.m = newManager(t, e.on, &opts)
	cookie := beginSession(e.m, func(s *holdfast.Session) { textKey.Set(s, "old") })
	inner := e.m.Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		handle(w, s, func() { c.happen(e, s) })
	}))
	e.v = &visitor{cookie: cookie, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Outer", "outer")
		inner.ServeHTTP(w, r)
	})}
	w := e.v.get("/account")
	if got := e.v.sends(); got != cookie {
		t.Errorf("the browser's cookie has become %q, want it as it was", got)
	}
	e.on.set(bend{})
	if got := stored(t, e.on, &opts, cookie); got != c.after {
		t.Errorf("afterwards stored %q, want %q", got, c.after)
	}
	return w, e
}

func (c trouble) wantError(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || c.err != errAny && !errors.Is(err, c.err) {
		t.Errorf("%s: %v, want %v", what, err, c.err)
	}
}

// A handler that checks nothing: its page never leaves.
func TestAnErrorThatNobodyLookedAtReplacesThePage(t *testing.T) {
	for name, c := range troubles {
		t.Run(name, func(t *testing.T) {
			w, e := c.meet(t, holdfast.Options{}, func(w http.ResponseWriter, _ *holdfast.Session, happen func()) {
				w.Header().Set("X-Outer", "inner")
				w.Header().Set("X-Inner", "inner")
				w.Header().Set("Content-Type", "image/png")
				w.Header().Set("Content-Length", "4")
				happen()
				w.WriteHeader(http.StatusAccepted)
				_, err := io.WriteString(w, "page")
				c.wantError(t, "Write", err)
				c.wantError(t, "Flush", http.NewResponseController(w).Flush())
				_, err = io.Copy(w, strings.NewReader("page"))
				c.wantError(t, "ReadFrom", err)
			})
			wantStatus(t, w, c.status)
			if body := w.Body.String(); strings.Contains(body, "page\n") || strings.HasPrefix(body, "page") || w.Flushed {
				t.Errorf("the handler's page left: %q", body)
			}
			wantErrorHeaders(t, w.Header(), c.status)
			if got := e.m.Stats(); got.Replaced != 1 || got.TooLate != 0 {
				t.Errorf("Stats has %d replaced and %d too late, want 1 and 0", got.Replaced, got.TooLate)
			}
		})
	}
}

func wantErrorHeaders(t *testing.T, h http.Header, status int) {
	t.Helper()
	want := map[string]string{
		"X-Outer": "outer", "X-Inner": "", "Content-Length": "", "Content-Type": "text/plain; charset=utf-8",
		"Cache-Control": "no-store", "Vary": "Cookie", "Retry-After": "",
	}
	if status == http.StatusServiceUnavailable {
		want["Retry-After"] = "1"
	}
	for name, want := range want {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A handler that looks at the error answers for it.
func TestAHandlerThatLooksAtTheErrorAnswers(t *testing.T) {
	for name, c := range troubles {
		t.Run(name, func(t *testing.T) {
			w, e := c.meet(t, holdfast.Options{}, func(w http.ResponseWriter, s *holdfast.Session, happen func()) {
				happen()
				s.Commit()
				c.wantError(t, "Err", s.Err())
				w.WriteHeader(holdfast.StatusOf(s.Err()))
				io.WriteString(w, "handled")
			})
			wantStatus(t, w, c.status)
			if got := w.Body.String(); got != "handled" {
				t.Errorf("body %q, want the handler's", got)
			}
			if got := e.m.Stats(); got.Replaced != 0 || got.TooLate != 0 {
				t.Errorf("Stats has %d replaced and %d too late, want none", got.Replaced, got.TooLate)
			}
		})
	}
}

// When the header has left, nothing can be replaced: it is in the log.
func TestAnErrorAfterTheHeaderIsLogged(t *testing.T) {
	for name, c := range troubles {
		t.Run(name, func(t *testing.T) {
			var log logBook
			w, e := c.meet(t, holdfast.Options{Logger: log.logger()}, func(w http.ResponseWriter, _ *holdfast.Session, happen func()) {
				io.WriteString(w, "page")
				happen()
			})
			wantBody(t, w, "page")
			if got := e.m.Stats(); got.Replaced != 0 || got.TooLate != 1 {
				t.Errorf("Stats has %d replaced and %d too late, want 0 and 1", got.Replaced, got.TooLate)
			}
			if n := strings.Count(log.String(), "path=/account"); n != 1 {
				t.Errorf("%d lines about the request in the log, want 1: %s", n, log.String())
			}
		})
	}
}

// Who has looked at an error and changes the session again has not looked at
// what becomes of that.
func TestAChangeAfterALookIsCommittedAgain(t *testing.T) {
	c := troubles["the store refuses a change"]
	w, _ := c.meet(t, holdfast.Options{}, func(w http.ResponseWriter, s *holdfast.Session, happen func()) {
		happen()
		s.Commit()
		s.Err()
		otherKey.Set(s, "more")
		io.WriteString(w, "page")
	})
	wantStatus(t, w, http.StatusServiceUnavailable)
}

func TestOnUnavailable(t *testing.T) {
	for name, c := range troubles {
		t.Run(name, func(t *testing.T) {
			var asked []error
			opts := holdfast.Options{OnUnavailable: func(w http.ResponseWriter, r *http.Request, err error) {
				asked = append(asked, err)
				if w.Header().Get("X-Inner") != "" || w.Header().Get("X-Outer") != "outer" {
					t.Errorf("headers of the handler's are left: %v", w.Header())
				}
				w.WriteHeader(http.StatusTeapot)
				fmt.Fprint(w, "back soon: ", r.URL.Path)
			}}
			w, _ := c.meet(t, opts, func(w http.ResponseWriter, _ *holdfast.Session, happen func()) {
				w.Header().Set("X-Inner", "inner")
				happen()
				io.WriteString(w, "page")
			})
			if c.status != http.StatusServiceUnavailable {
				wantStatus(t, w, c.status)
				return
			}
			wantStatus(t, w, http.StatusTeapot)
			if got := w.Body.String(); got != "back soon: /account" {
				t.Errorf("body %q", got)
			}
			if len(asked) != 1 || !errors.Is(asked[0], holdfast.ErrUnavailable) {
				t.Errorf("OnUnavailable got %v, want one ErrUnavailable", asked)
			}
		})
	}
}

// An outage is in the log twice: when it begins and when it is over for a while.
func TestAnOutageIsLoggedOnceAndNobodyElseNotices(t *testing.T) {
	synctest.Test(t, outageIsLoggedOnce)
}

func outageIsLoggedOnce(t *testing.T) {
	var log logBook
	on := newTap()
	m := newManager(t, on, &holdfast.Options{Logger: log.logger()})
	v := visit(m, show)
	v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
	on.set(down())
	for range 5 {
		wantStatus(t, v.get("/"), http.StatusServiceUnavailable)
		files := v.with(m.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "a file") })))
		w := files.get("/logo.png")
		wantBody(t, w, "a file")
		if len(w.Header()) != 1 { // Content-Type
			t.Errorf("headers of a request without a session: %v", w.Header())
		}
		wantStatus(t, (&visitor{handler: v.handler}).get("/"), http.StatusOK) // no cookie: for certain no session
	}
	on.set(bend{})
	for range 5 {
		time.Sleep(2 * time.Second)
		wantBody(t, v.get("/"), "0|old||")
	}
	if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "does not answer") || !strings.Contains(got, "answers again") {
		t.Errorf("log: %s; want two lines", got)
	}
}

func TestStatusOf(t *testing.T) {
	for err, want := range map[error]int{
		holdfast.ErrUnavailable: 503, holdfast.ErrUnknownOutcome: 503, holdfast.ErrClosed: 503,
		holdfast.ErrConflict: 409, holdfast.ErrRenewed: 409, holdfast.ErrDestroyed: 409, holdfast.ErrNoSession: 409,
		holdfast.ErrUnreadable: 500, holdfast.ErrTooLarge: 500, holdfast.ErrTooLate: 500, io.EOF: 500,
	} {
		if got := holdfast.StatusOf(fmt.Errorf("node n1: %w", err)); got != want {
			t.Errorf("StatusOf(%v) is %d, want %d", err, got, want)
		}
	}
}

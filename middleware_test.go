package holdfast_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

func TestOutsideOfTheMiddlewareEverythingIsErrNoSession(t *testing.T) {
	m := newManager(t, nil, nil)
	for name, s := range map[string]*holdfast.Session{
		"From": holdfast.From(t.Context()), "Manager.From": m.From(t.Context()), "zero": {},
	} {
		t.Run(name, func(t *testing.T) {
			_, lookup := numberKey.Lookup(s)
			for what, err := range map[string]error{
				"Lookup": lookup, "Set": numberKey.Set(s, 1), "Update": increment(s), "Delete": numberKey.Delete(s), "Commit": s.Commit(),
				"Do": s.Do(increment), "Login": s.Login("bob"), "Renew": s.Renew(), "Destroy": s.Destroy(), "Refresh": s.Refresh(), "Err": s.Err(),
			} {
				if !errors.Is(err, holdfast.ErrNoSession) {
					t.Errorf("%s: %v, want ErrNoSession", what, err)
				}
			}
			s.Clear()
			s.SetIdleTimeout(time.Hour)
			s.Persist(time.Hour)
			for range s.Names() {
				t.Error("a name")
			}
			raw, ok := s.Raw("number")
			if s.Exists() || s.IsNew() || s.ID() != "" || s.Owner() != "" || !s.CreatedAt().IsZero() || !s.LastAccessedAt().IsZero() ||
				s.IdleTimeout() != 0 || !s.Expires().IsZero() || s.Place().Node != "" || raw != nil || ok {
				t.Error("the session that is none has something")
			}
		})
	}
}

func TestIgnoredRequestsHaveNothingToDoWithSessions(t *testing.T) {
	for _, mode := range benchModes {
		t.Run(mode.name, func(t *testing.T) { ignoredRequests(t, mode.options) })
	}
}

func ignoredRequests(t *testing.T, o *holdfast.Options) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		options := holdfast.Options{}
		if o != nil {
			options = *o
		}
		options.Ignore = regexp.MustCompile(`\.(png|css)$`)
		options.IgnoreRequest = func(r *http.Request) bool { return r.URL.RawQuery == "raw" }
		m := newManager(t, on, &options)
		v := visit(m, func(_ http.ResponseWriter, r *http.Request, s *holdfast.Session) {
			if err := increment(s); errors.Is(err, holdfast.ErrNoSession) == (r.URL.Path == "/page") {
				t.Errorf("%s: %v", r.URL.Path, err)
			}
		})
		v.get("/page")
		v.get("/page")
		synctest.Wait()
		on.drain()
		time.Sleep(20 * time.Minute)
		for _, path := range []string{"/a.png", "/style.css", "/deep/b.png", "/file?raw"} {
			if w := v.get(path); len(w.Header()) != 0 {
				t.Errorf("%s has headers %v", path, w.Header())
			}
		}
		synctest.Wait()
		if log := on.drain(); log != "" {
			t.Errorf("the store was asked to %s", log)
		}
		if options.Sticky {
			return
		}
		v.get("/page")
		if log := on.drain(); !strings.HasPrefix(log, "get") || countWord(log, "put") != 1 {
			t.Errorf("a page asked the store to %s", log)
		}
	})
}

func TestNestedManagers(t *testing.T) {
	site, shop := newTap(), newTap()
	outer := newManager(t, site, &holdfast.Options{Cookie: holdfast.Cookie{Name: "site"}})
	inner := newManager(t, shop, &holdfast.Options{Cookie: holdfast.Cookie{Name: "shop"}})
	var cookies []string
	handler := outer.Handler(inner.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i, s := range []*holdfast.Session{holdfast.From(r.Context()), inner.From(r.Context()), outer.From(r.Context())} {
			textKey.Update(s, func(text *string) error { *text += fmt.Sprint(i); return nil })
		}
		if holdfast.From(r.Context()) != inner.From(r.Context()) {
			t.Error("From is not the innermost manager's")
		}
		io.WriteString(w, "page")
	})))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	for _, c := range w.Result().Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	if len(cookies) != 2 {
		t.Fatalf("cookies %q, want two", cookies)
	}
	if got := stored(t, site, &holdfast.Options{Cookie: holdfast.Cookie{Name: "site"}}, cookies[0]+"; "+cookies[1]); got != "0|2||" {
		t.Errorf("outer stored %q", got)
	}
	if got := stored(t, shop, &holdfast.Options{Cookie: holdfast.Cookie{Name: "shop"}}, cookies[0]+"; "+cookies[1]); got != "0|01||" {
		t.Errorf("inner stored %q", got)
	}
}

func TestPreload(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	ran := 0
	v := &visitor{cookie: beginSession(m, increments)}
	v = v.with(m.Handler(m.Preload(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran++
		if got := on.drain(); got != "get" {
			t.Errorf("before the handler the store was asked to %s, want get", got)
		}
		show(w, r, holdfast.From(r.Context()))
	}))))
	on.drain()
	wantBody(t, v.get("/"), "1|||")
	if got := on.drain(); got != "" {
		t.Errorf("after it, to %s", got)
	}
	on.set(down())
	wantStatus(t, v.get("/"), http.StatusServiceUnavailable)
	if ran != 1 {
		t.Errorf("the handler ran %d times, want not without its session", ran)
	}
	on.set(bend{})
	w := httptest.NewRecorder()
	m.Preload(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") })).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	wantBody(t, w, "page")
}

func TestWith(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	foreign := errors.New("test")
	for name, c := range map[string]struct {
		id   holdfast.ID // "": the session's
		fn   func(*holdfast.Session) error
		err  error
		want string
	}{
		"changes":          {"", func(s *holdfast.Session) error { return textKey.Set(s, "with") }, nil, "1|with||"},
		"reads":            {"", func(*holdfast.Session) error { return nil }, nil, "1|||"},
		"its error":        {"", func(s *holdfast.Session) error { textKey.Set(s, "no"); return foreign }, foreign, "1|||"},
		"commits itself":   {"", func(s *holdfast.Session) error { increment(s); s.Commit(); return foreign }, foreign, "2|||"},
		"unknown id":       {"UNKNOWNUNKNOWNUNKNOWNUNKNO", mustNotRun(t), holdfast.ErrNoSession, "1|||"},
		"malformed id":     {"short", mustNotRun(t), holdfast.ErrNoSession, "1|||"},
		"error not looked": {"", func(s *holdfast.Session) error { holdfast.NewKey[bool]("number").Get(s); return nil }, holdfast.ErrUnreadable, "1|||"},
		"renew":            {"", (*holdfast.Session).Renew, holdfast.ErrTooLate, "1|||"},
		"login":            {"", func(s *holdfast.Session) error { return s.Login("bob") }, holdfast.ErrTooLate, "1|||"},
		"destroy":          {"", (*holdfast.Session).Destroy, nil, "0|||"},
		"destroy and set":  {"", func(s *holdfast.Session) error { s.Destroy(); return increment(s) }, holdfast.ErrTooLate, "0|||"},
		"persist":          {"", func(s *holdfast.Session) error { s.Persist(time.Hour); return nil }, nil, "1|||"},
	} {
		t.Run(name, func(t *testing.T) {
			id := c.id
			cookie := beginSession(m, func(s *holdfast.Session) { increment(s); id = cmp.Or(id, s.ID()) })
			if err := m.With(t.Context(), id, c.fn); !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Errorf("With: %v, want %v", err, c.err)
			}
			if got := stored(t, on, nil, cookie); got != c.want {
				t.Errorf("stored %q, want %q", got, c.want)
			}
		})
	}
}

func mustNotRun(t *testing.T) func(*holdfast.Session) error {
	return func(*holdfast.Session) error {
		t.Error("the function ran")
		return nil
	}
}

func TestWithMeetsAnOutage(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	var id holdfast.ID
	beginSession(m, func(s *holdfast.Session) { increment(s); id = s.ID() })
	on.set(down())
	if err := m.With(t.Context(), id, mustNotRun(t)); !errors.Is(err, holdfast.ErrUnavailable) {
		t.Errorf("With: %v, want ErrUnavailable", err)
	}
	on.set(bend{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.With(t.Context(), "", mustNotRun(t)); !errors.Is(err, holdfast.ErrNoSession) {
		t.Errorf("With no id: %v, want ErrNoSession", err)
	}
	if err := m.With(ctx, id, mustNotRun(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("With after its context: %v, want Canceled", err)
	}
	var kept *holdfast.Session
	m.With(t.Context(), id, func(s *holdfast.Session) error { kept = s; return nil })
	if err := increment(kept); !errors.Is(err, holdfast.ErrTooLate) {
		t.Errorf("a session kept from With: %v, want ErrTooLate", err)
	}
}

// A request that has the cookie and does not use its session keeps it alive,
// waits for nothing, and asks the store once per sixteenth of the idle timeout.
func TestAnUnusedSessionLivesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		opts := &holdfast.Options{IdleTimeout: 16 * time.Minute}
		m := newManager(t, on, opts)
		v := visit(m, func(http.ResponseWriter, *http.Request, *holdfast.Session) {})
		v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
		on.drain()
		on.set(slow(time.Millisecond))
		gets, touches := 0, 0
		for range 6 * 100 { // 100 minutes
			start := time.Now()
			v.get("/logo.png")
			v.get("/style.css")
			if took := time.Since(start); took != 0 {
				t.Fatalf("the request waited %v", took)
			}
			time.Sleep(10 * time.Second)
			log := on.drain()
			gets += countWord(log, "get")
			touches += countWord(log, "touch")
		}
		if touches < 80 || touches > 101 || gets > 101 {
			t.Errorf("in 100 sixteenths %d touches, %d gets; want one each, or every 70 seconds", touches, gets)
		}
		on.set(bend{})
		if got := stored(t, on, opts, v.sends()); got != "0|old||" {
			t.Errorf("after 100 minutes stored %q", got)
		}
	})
}

// Of many requests at the same moment, as a browser sends them for a page, one
// asks the store.
func TestAnUnusedSessionIsExtendedByOneOfManyRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		m := newManager(t, on, nil)
		v := visit(m, func(http.ResponseWriter, *http.Request, *holdfast.Session) {})
		v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
		time.Sleep(10 * time.Minute)
		on.drain()
		on.set(slow(50 * time.Millisecond))
		for range 20 {
			v.get("/")
		}
		time.Sleep(time.Second)
		if got := on.drain(); got != "get touch" {
			t.Errorf("20 requests asked the store to %s, want get touch", got)
		}
	})
}

// An unknown id is looked for behind requests as rarely.
func TestAnUnknownUnusedIDIsHardlyEverLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		v := visit(newManager(t, on, nil), func(http.ResponseWriter, *http.Request, *holdfast.Session) {})
		v.cookie = "__Host-session=UNKNOWNUNKNOWNUNKNOWNUNKNO"
		for range 60 {
			v.get("/")
			time.Sleep(time.Second)
		}
		if got := countWord(on.drain(), "get"); got > 12 {
			t.Errorf("looked for %d times in a minute", got)
		}
	})
}

// While the store hangs, requests that do not use their session pile up nothing.
func TestUnusedSessionsDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		m := newManager(t, on, nil)
		v := visit(m, func(http.ResponseWriter, *http.Request, *holdfast.Session) {})
		on.set(hung())
		start := time.Now()
		for i := range 500 {
			v.cookie = fmt.Sprintf("__Host-session=%026d", i)
			wantStatus(t, v.get("/"), http.StatusOK)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the requests waited %v", took)
		}
		synctest.Wait()
		if got := countWord(on.drain(), "get"); got > 64 {
			t.Errorf("%d look-ups hang behind requests", got)
		}
		time.Sleep(time.Second)
		on.set(bend{})
	})
}

func countWord(log, word string) (n int) {
	return len(regexp.MustCompile(`\b`+word+`\b`).FindAllString(log, -1))
}

func TestTimesOfASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, nil)
		begun := time.Now().Truncate(time.Millisecond)
		v := p.begin(func(s *holdfast.Session) {
			increment(s)
			if !s.IsNew() || !s.CreatedAt().Equal(begun) || !s.LastAccessedAt().Equal(begun) {
				t.Errorf("new %v, created %v, accessed %v; want now", s.IsNew(), s.CreatedAt(), s.LastAccessedAt())
			}
			s.Commit()
			if !s.IsNew() || !s.CreatedAt().Equal(begun) {
				t.Errorf("after the commit new %v, created %v", s.IsNew(), s.CreatedAt())
			}
		})
		last := begun
		for _, wait := range []time.Duration{time.Minute, 10 * time.Minute, 29 * time.Minute, time.Second} {
			time.Sleep(wait)
			v.session(p.there, func(s *holdfast.Session) {
				if s.IsNew() || !s.CreatedAt().Equal(begun) {
					t.Errorf("new %v, created %v", s.IsNew(), s.CreatedAt())
				}
				if got := s.LastAccessedAt(); got.After(last) || last.Sub(got) > 30*time.Minute/16 {
					t.Errorf("accessed %v, the request before was at %v", got, last)
				}
			}).get("/")
			last = time.Now()
			synctest.Wait()
		}
	})
}

func TestPlace(t *testing.T) {
	m := newManager(t, newTap(), &holdfast.Options{Route: "app1"})
	v := &visitor{cookie: beginSession(m, func(s *holdfast.Session) {
		if got := s.Place(); got.Node != "" || got.Route != "" {
			t.Errorf("no session lies at %+v", got)
		}
		increment(s)
		if got := s.Place(); got.Node != "" || got.Route != "app1" {
			t.Errorf("before the commit it lies at %+v", got)
		}
	})}
	v.session(m, func(s *holdfast.Session) {
		if got := s.Place(); got.Node != "n1" || len(got.Copies) != 0 || got.Route != "app1" {
			t.Errorf("it lies at %+v, want n1", got)
		}
	}).get("/")
}

func TestNewRefusesBadNodes(t *testing.T) {
	for name, want := range map[string]string{"": "name", "n-1": "name", "a b": "name"} {
		if _, err := holdfast.New(nodes(name, newTap()), nil); err == nil {
			t.Errorf("node %q is accepted, want an error about its %s", name, want)
		}
	}
	if _, err := holdfast.New(nodes("n1", nil), nil); err == nil {
		t.Error("a node without a store is accepted")
	}
	if _, err := holdfast.New(append(nodes("n1", newTap()), nodes("n1", newTap())...), nil); err == nil {
		t.Error("two nodes of one name are accepted")
	}
}

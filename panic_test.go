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

	"github.com/holdfast-sessions/holdfast"
)

// recovering is the usual middleware that makes an answer of a panic.
func recovering(next http.Handler, caught *any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if *caught = recover(); *caught != nil {
				http.Error(w, "recovered", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func TestAPanicStoresNothingMore(t *testing.T) {
	for name, c := range map[string]struct {
		panics func(http.ResponseWriter, *holdfast.Session)
		stored string
	}{
		"before the first byte": {func(_ http.ResponseWriter, s *holdfast.Session) {
			textKey.Set(s, "new")
			panic("test")
		}, "0|old||"},
		"after the first byte": {func(w http.ResponseWriter, s *holdfast.Session) {
			textKey.Set(s, "new")
			io.WriteString(w, "first byte")
			otherKey.Set(s, "never")
			panic("test")
		}, "0|new||"},
		"http.ErrAbortHandler": {func(_ http.ResponseWriter, s *holdfast.Session) {
			textKey.Set(s, "new")
			panic(http.ErrAbortHandler)
		}, "0|old||"},
		"in Update": {func(_ http.ResponseWriter, s *holdfast.Session) {
			numberKey.Update(s, func(n *int) error { *n = 5; panic("test") })
		}, "0|old||"},
		"in Do": {func(_ http.ResponseWriter, s *holdfast.Session) {
			s.Do(func(s *holdfast.Session) error { textKey.Set(s, "half"); panic("test") })
		}, "0|old||"},
		"in a codec": {func(_ http.ResponseWriter, s *holdfast.Session) {
			holdfast.NewKey("text", panickyCodec{}).Set(s, 1)
		}, "0|old||"},
	} {
		t.Run(name, func(t *testing.T) {
			on := newTap()
			m := newManager(t, on, nil)
			v := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) { c.panics(w, s) })
			v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
			var caught any
			w := v.with(recovering(v.handler, &caught)).get("/")
			if want := any("test"); name != "http.ErrAbortHandler" && caught != want || caught == nil {
				t.Errorf("caught outside: %v", caught)
			}
			if got := w.Header()["Set-Cookie"]; got != nil {
				t.Errorf("cookie after a panic: %q", got)
			}
			if got := stored(t, on, nil, v.sends()); got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
		})
	}
}

type panickyCodec struct{}

func (panickyCodec) Tag() byte                          { return 200 }
func (panickyCodec) Append([]byte, int) ([]byte, error) { panic("test") }
func (panickyCodec) Decode([]byte) (int, error)         { panic("test") }

// A recover inside of Manager.Handler makes an answer like any other: what the
// handler had changed is stored with it. What was half done is not.
func TestARecoverInsideAnswersWithTheSession(t *testing.T) {
	for name, c := range map[string]struct {
		panics func(*holdfast.Session)
		stored string
	}{
		"between changes": {func(s *holdfast.Session) { panic("test") }, "1|old||"},
		"in Update": {func(s *holdfast.Session) {
			numberKey.Update(s, func(n *int) error { *n = 5; panic("test") })
		}, "1|old||"},
		"in Do": {func(s *holdfast.Session) {
			s.Do(func(s *holdfast.Session) error { textKey.Set(s, "half"); panic("test") })
		}, "1|old||"},
		"in a decode": {func(s *holdfast.Session) {
			codec := panickyCodec{}
			holdfast.NewKey("raw", rawCodec{}).Set(s, "x")
			holdfast.NewKey("raw", codec).Get(s)
		}, "1|old||"},
	} {
		t.Run(name, func(t *testing.T) {
			on := newTap()
			m := newManager(t, on, nil)
			var caught any
			inner := recovering(page(func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
				increment(s)
				c.panics(s)
			}), &caught)
			v := &visitor{handler: m.Handler(inner)}
			v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
			w := v.get("/")
			if w.Code != http.StatusInternalServerError || w.Body.String() != "recovered\n" {
				t.Errorf("status %d %q, want the answer of the middleware", w.Code, w.Body.String())
			}
			if got := stored(t, on, nil, v.sends()); got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
		})
	}
}

// rawCodec has the tag of panickyCodec.
type rawCodec struct{}

func (rawCodec) Tag() byte                                   { return 200 }
func (rawCodec) Append(dst []byte, v string) ([]byte, error) { return append(dst, v...), nil }
func (rawCodec) Decode(b []byte) (string, error)             { return string(b), nil }

// A function that runs again on a newer session may panic only then: in the
// middle of a commit.
func TestAPanicInTheMiddleOfACommit(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *holdfast.Session, again func())
		stored string
	}{
		"Commit": {func(s *holdfast.Session, again func()) {
			numberKey.Update(s, func(n *int) error { again(); *n += 10; return nil })
			s.Commit()
		}, "11|old||"},
		"Refresh": {func(s *holdfast.Session, again func()) {
			numberKey.Update(s, func(n *int) error { again(); *n += 10; return nil })
			s.Refresh()
		}, "11|old||"},
		"Do": {func(s *holdfast.Session, again func()) {
			s.Do(func(s *holdfast.Session) error {
				again()
				n, _ := numberKey.Get(s)
				return numberKey.Set(s, n+10)
			})
		}, "1|old||"},
	} {
		t.Run(name, func(t *testing.T) {
			on := newTap()
			m := newManager(t, on, nil)
			cookie := beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
			var v *visitor
			v = visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
				runs := 0
				textKey.Get(s)
				v.session(m, func(s *holdfast.Session) { increment(s) }).get("/") // so that it must run again
				func() {
					defer func() {
						if recover() == nil {
							t.Error("nothing panicked")
						}
					}()
					c.change(s, func() {
						if runs++; runs == 2 {
							panic("test")
						}
					})
				}()
				if err := s.Refresh(); err != nil {
					t.Errorf("the session is of no use after the panic: %v", err)
				}
				fmt.Fprint(w, "still here")
			})
			v.cookie = cookie
			wantBody(t, v.get("/"), "still here")
			if got := stored(t, on, nil, cookie); got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
		})
	}
}

func TestAPanickingHookIsRecoveredAndCounted(t *testing.T) {
	var log logBook
	on := newTap()
	told := 0
	m := newManager(t, on, &holdfast.Options{Logger: log.logger(), Hooks: holdfast.Hooks{
		Created: func(_ context.Context, e holdfast.Event) { panic(fmt.Sprint("hook of ", e.ID)) },
		Changed: func(context.Context, holdfast.Event) { told++ },
	}})
	v := visit(m, show)
	v.cookie = beginSession(m, func(s *holdfast.Session) { increment(s); textKey.Set(s, "new") })
	wantBody(t, v.get("/"), "1|new||")
	if got := m.Stats().HookPanics; got != 1 || told != 2 {
		t.Errorf("%d panics counted, want 1; %d other hooks ran, want 2", got, told)
	}
	secret, _, _ := strings.Cut(strings.TrimPrefix(v.sends(), "__Host-session="), "-")
	if log := log.String(); !strings.Contains(log, "hook of") || strings.Contains(log, secret) {
		t.Errorf("log: %s; want the panic, without the id", log)
	}
}

// net/http ends the connection after a panic; the next request is served.
func TestAPanicOnARealServer(t *testing.T) {
	var log logBook
	on := newTap()
	m := newManager(t, on, nil)
	server := httptest.NewUnstartedServer(m.Handler(page(func(w http.ResponseWriter, r *http.Request, s *holdfast.Session) {
		textKey.Set(s, r.URL.Path)
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
		show(w, r, s)
	})))
	server.Config.ErrorLog = newStandardLog(&log)
	server.Start()
	defer server.Close()
	cookie := cookieOf(t, fetch(t, server, http.MethodGet, "/before", ""))
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/panic", nil)
	r.Header.Set("Cookie", cookie)
	if resp, err := server.Client().Do(r); err == nil {
		resp.Body.Close()
		t.Errorf("status %d for a handler that aborted", resp.StatusCode)
	} else if errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got, want := stored(t, on, nil, cookie), "0|/before||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
	if body, _ := io.ReadAll(fetch(t, server, http.MethodGet, "/after", cookie).Body); string(body) != "0|/after||" {
		t.Errorf("after the panic: %q", body)
	}
}

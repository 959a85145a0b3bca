package holdfasttest

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/holdfast-sessions/holdfast"
)

// With returns a copy of r that carries the cookie of a session of m, prepared
// by fn: logged in, with a cart, whatever the test needs. When r carries a
// session already, fn gets that one. With runs as a request of its own, with
// the manager's hooks, and is over before the returned request is served.
//
// Like httptest.NewRequest it panics when it fails: when the session cannot be
// stored, when fn leaves an error that it has not looked at with Session.Err,
// or when Options.Ignore matches r.
func With(r *http.Request, m *holdfast.Manager, fn func(*holdfast.Session)) *http.Request {
	return follow(r, visit(m, fn, r).Result().Cookies())
}

// visit runs fn with the session of r, as a handler would.
func visit(m *holdfast.Manager, fn func(*holdfast.Session), r *http.Request) *httptest.ResponseRecorder {
	const stored = http.StatusNoContent // what no error page has
	w := httptest.NewRecorder()
	var s *holdfast.Session
	m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s = m.From(r.Context()); s.Err() != nil {
			return // Options.Ignore matches
		}
		fn(s)
		w.WriteHeader(stored)
	})).ServeHTTP(w, r)
	if w.Code != stored {
		panic(fmt.Sprintf("holdfasttest: session of %s %s: %v", r.Method, r.URL.Path, s.Err()))
	}
	return w
}

// follow returns a copy of r with its cookies as a browser has them after it was
// sent those of fresh.
func follow(r *http.Request, fresh []*http.Cookie) *http.Request {
	replaced := make(map[string]bool)
	for _, c := range fresh {
		replaced[c.Name] = true
	}
	next := r.Clone(r.Context())
	next.Header.Del("Cookie")
	for _, c := range r.Cookies() {
		if !replaced[c.Name] {
			next.AddCookie(c)
		}
	}
	for _, c := range fresh {
		if c.MaxAge >= 0 {
			next.AddCookie(c)
		}
	}
	return next
}

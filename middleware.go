package holdfast

import (
	"context"
	"net/http"
)

// A request is what the middleware adds to one request: its session, its
// response writer, and the context that leads to them.
type request struct {
	context.Context
	m       *Manager
	session Session
	out     response
}

// sessionKey is the context key of the innermost manager's session.
type sessionKey struct{}

// Value finds the session by sessionKey, and by its manager.
func (r *request) Value(key any) any {
	switch key := key.(type) {
	case sessionKey:
		return &r.session
	case *Manager:
		if key == r.m {
			return &r.session
		}
	}
	return r.Context.Value(key)
}

// Handler returns next with a session in each request's context: loaded when it is
// first used, stored before the response header leaves.
func (m *Manager) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.ignores(r) {
			next.ServeHTTP(w, m.ignored(r))
			return
		}
		m.serve(next, w, r)
	})
}

func (m *Manager) ignores(r *http.Request) bool {
	o := &m.options
	return o.Ignore != nil && o.Ignore.MatchString(r.URL.Path) || o.IgnoreRequest != nil && o.IgnoreRequest(r)
}

// ignored hides the session of a manager around m: From must not lead there from
// where m's is meant.
func (m *Manager) ignored(r *http.Request) *http.Request {
	if r.Context().Value(sessionKey{}) == nil {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), sessionKey{}, &Session{}))
}

func (m *Manager) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	q := &request{Context: r.Context(), m: m}
	q.session.m, q.session.ctx, q.session.req, q.session.out = m, r.Context(), r, &q.out
	q.out.ResponseWriter, q.out.s, q.out.r = w, &q.session, r
	if h := w.Header(); len(h) > 0 {
		q.out.outer = h.Clone()
	}
	defer q.session.unlock()
	defer q.session.close() // also when the handler panics: then nothing more is stored
	next.ServeHTTP(&q.out, r.WithContext(q))
	q.out.finish()
	m.learn(&q.session)
	m.extendUnused(&q.session)
}

// close makes further changes fail instead of being lost.
func (s *Session) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
}

// Preload returns next with the session loaded before it runs, and an error
// page in its place when that fails. It belongs inside of Handler:
// m.Handler(m.Preload(next)).
func (m *Manager) Preload(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s := m.From(r.Context()); s.m != nil && s.load() != nil {
			return // the error has not been looked at, so Handler answers with it
		}
		next.ServeHTTP(w, r)
	})
}

// From returns the session of the request whose context is ctx, of the
// innermost manager. It is never nil and does no I/O; outside of
// Manager.Handler its operations fail with ErrNoSession.
func From(ctx context.Context) *Session {
	if s, ok := ctx.Value(sessionKey{}).(*Session); ok {
		return s
	}
	return &Session{}
}

// From is the package's From for this manager's session, where managers are nested.
func (m *Manager) From(ctx context.Context) *Session {
	if s, ok := ctx.Value(m).(*Session); ok {
		return s
	}
	return &Session{}
}

// With runs fn with the session called id, outside of a request, and commits
// when fn returns nil. Without such a session it returns ErrNoSession; it never
// creates one, and cannot give it a new id.
func (m *Manager) With(ctx context.Context, id ID, fn func(*Session) error) error {
	s := &Session{m: m, ctx: ctx}
	if t, ok := parseToken(id.Secret()); ok {
		s.tokens = []token{t}
	}
	defer s.unlock()
	defer s.close()
	if err := s.load(); err != nil {
		return err
	}
	if !s.Exists() {
		return ErrNoSession
	}
	if err := fn(s); err != nil {
		return err
	}
	if err := s.Commit(); err != nil {
		return err
	}
	return s.unseen()
}

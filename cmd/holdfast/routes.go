package main

import (
	"log/slog"
	"net/http"

	"github.com/holdfast-sessions/holdfast"
)

// An app is the handlers of one app server.
type app struct {
	sessions *holdfast.Manager
	route    string // names this app server; may be empty
	log      *slog.Logger
	stopping <-chan struct{} // closed when the process has been asked to stop
}

func newApp(m *holdfast.Manager, route string, log *slog.Logger, stopping <-chan struct{}) *app {
	return &app{m, route, log, stopping}
}

// handler is everything the app server answers. Other sites' pages cannot make
// a browser change a session here.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	a.healthRoutes(mux)
	sessions := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, a.sessions.Handler(h)) }
	a.apiRoutes(sessions)
	a.pageRoutes(sessions, mux)
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(http.HandlerFunc(refuseCrossOrigin))
	return csrf.Handler(orError(mux))
}

func refuseCrossOrigin(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusForbidden, "refused: a page of another site sent this request (behind a proxy: does it pass on the Host header?)")
}

// orError answers what no pattern of mux matches, with the status and the
// headers that mux would choose and a JSON body.
func orError(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noMatch, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		answer := statusOnly{header: w.Header()}
		noMatch.ServeHTTP(&answer, r)
		writeError(w, answer.status, http.StatusText(answer.status)+": "+r.Method+" "+r.URL.Path)
	})
}

// statusOnly is a ResponseWriter that keeps the status and drops the body.
type statusOnly struct {
	header http.Header
	status int
}

func (w *statusOnly) Header() http.Header         { return w.header }
func (w *statusOnly) WriteHeader(status int)      { w.status = status }
func (w *statusOnly) Write(b []byte) (int, error) { return len(b), nil }

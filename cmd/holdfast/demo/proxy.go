package demo

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/ledger"
)

// newProxy is the way of all requests for sessions.
func (d *demo) newProxy() http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
		Transport:      d.balancer,
		ModifyResponse: d.sights.see,
		ErrorHandler:   apologise,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, out := time.Now(), &statusWriter{ResponseWriter: w}
		proxy.ServeHTTP(out, r)
		d.meter.add(time.Since(began), out.status >= http.StatusInternalServerError)
	})
}

// A statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// An apology answers in place of a server, and says whether something may have
// happened there.
type apology struct {
	Outcome ledger.Outcome `json:"outcome"`
	Error   string         `json:"error"`
}

func apologise(w http.ResponseWriter, _ *http.Request, err error) {
	status, a := http.StatusBadGateway, apology{ledger.Unknown, err.Error()}
	if errors.Is(err, errNoServer) {
		status, a.Outcome = http.StatusServiceUnavailable, ledger.Refused
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a) // a client that left is no error of ours
}

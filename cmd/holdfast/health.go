package main

import (
	"net/http"

	"github.com/holdfast-sessions/holdfast"
)

// healthRoutes adds what a balancer and an operator ask. No session is touched.
func (a *app) healthRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /livez", a.live)
	mux.HandleFunc("GET /readyz", a.ready)
	mux.HandleFunc("GET /stats", a.stats)
}

// live says that this process answers.
func (a *app) live(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready says whether a balancer should send requests here.
func (a *app) ready(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-a.stopping:
		writeError(w, http.StatusServiceUnavailable, "stopping")
	default:
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	}
}

func (a *app) stats(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, statistics{a.sessions.Stats(), a.sessions.Nodes()})
}

// statistics are what /stats answers.
type statistics struct {
	holdfast.Stats
	Nodes []holdfast.NodeState `json:"nodes"` // as this server sees them
}

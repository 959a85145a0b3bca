package main

import (
	"net/http"

	"github.com/holdfast-sessions/holdfast"
)

// explain answers with why the browser's cookie finds no session.
func (a *app) explain(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, explanations(a.sessions.From(r.Context())))
}

// explanations are at most as many as a page has room for, the latest first, in
// UTC and never nil.
func explanations(s *holdfast.Session) []holdfast.Explanation {
	const most = 5
	all := []holdfast.Explanation{}
	for _, e := range s.Explain() {
		if e.At = e.At.UTC(); len(all) < most {
			all = append(all, e)
		}
	}
	_ = s.Err() // it is one of them
	return all
}

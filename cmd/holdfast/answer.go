package main

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/holdfast-sessions/holdfast"
)

// A problem is an error of the request itself, with the status to answer.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

// statusOf is the status that answers err.
func statusOf(err error) int {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.status
	}
	if errors.Is(err, holdfast.ErrTooLarge) {
		return http.StatusRequestEntityTooLarge // holdfast says 500: to it, the handler chose the size
	}
	return holdfast.StatusOf(err)
}

// announceError sets the headers that go with the status of err and returns it.
func announceError(w http.ResponseWriter, err error) int {
	status := statusOf(err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	return status
}

// fail answers err in JSON. Reading s.Err tells the manager that the error is
// answered here.
func fail(w http.ResponseWriter, s *holdfast.Session, err error) {
	_ = s.Err()
	writeError(w, announceError(w, err), err.Error())
}

func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"cannot be shown as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that left is no error of ours
}

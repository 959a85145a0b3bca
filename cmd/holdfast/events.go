package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// eventInterval is the time between two events of one client.
const eventInterval = time.Second

// events sends the session as it is stored, now and every second, as
// server-sent events: "session" with what GET /session answers, "error" when it
// cannot be read just now. It ends when the client leaves, the session is gone
// or the server stops. Listening counts as using the session.
func (a *app) events(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.From(r.Context())
	v, err := a.viewOf(r, s)
	if err != nil {
		fail(w, s, err)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would collect events otherwise
	tick := time.NewTicker(eventInterval)
	defer tick.Stop()
	for err == nil || errors.Is(err, holdfast.ErrUnavailable) {
		if sendEvent(w, v, err) != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-a.stopping:
			return
		}
		if err = s.Refresh(); err == nil {
			v, err = a.viewOf(r, s)
		}
	}
	_ = sendEvent(w, v, err)
	_ = s.Err() // sent to the client
}

// sendEvent sends v, or err if there is one.
func sendEvent(w http.ResponseWriter, v view, err error) error {
	event, value := "session", any(v)
	if err != nil {
		event, value = "error", map[string]string{"error": err.Error()}
	}
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, data); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}

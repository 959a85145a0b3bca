package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// A view is a session as the API shows it. Times are UTC.
type view struct {
	Server       string         `json:"server"` // that answered: its route, or else its address
	ID           holdfast.ID    `json:"id"`     // as a fingerprint
	New          bool           `json:"new"`    // begun by this request
	Node         string         `json:"node"`
	Route        string         `json:"route"`
	Copies       []string       `json:"copies"`
	Created      time.Time      `json:"created"`
	LastAccessed time.Time      `json:"last_accessed"`
	Owner        string         `json:"owner"`
	Attributes   map[string]any `json:"attributes"`
}

// viewOf reads s. A session that does not exist is errNoSession.
func (a *app) viewOf(r *http.Request, s *holdfast.Session) (view, error) {
	if !s.Exists() {
		if err := s.Err(); err != nil && !errors.Is(err, holdfast.ErrNoSession) { // that: on an ignored path
			return view{}, err
		}
		return view{}, errNoSession
	}
	place := s.Place()
	return view{
		Server:       a.server(r),
		ID:           s.ID(),
		New:          s.IsNew(),
		Node:         place.Node,
		Route:        place.Route,
		Copies:       append([]string{}, place.Copies...), // never null
		Created:      s.CreatedAt().UTC(),
		LastAccessed: s.LastAccessedAt().UTC(),
		Owner:        s.Owner(),
		Attributes:   attributes(s),
	}, nil
}

var errNoSession = &problem{http.StatusNotFound, "no session"}

// server names this app server: its route, or else where r reached it.
func (a *app) server(r *http.Request) string {
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return cmp.Or(a.route, addr.String())
	}
	return a.route
}

// attributes returns all attributes as JSON shows them. One that cannot be
// decoded is null: it does not cost the answer, so its error counts as seen.
func attributes(s *holdfast.Session) map[string]any {
	all := map[string]any{}
	for name := range s.Names() {
		value, _ := s.Raw(name)
		all[name] = jsonable(value)
	}
	_ = s.Err()
	return all
}

// jsonable returns value as encoding/json can show it.
func jsonable(value any) any {
	switch v := value.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil // JSON has no such number
		}
	case time.Time:
		return v.UTC()
	case json.RawMessage:
		if !json.Valid(v) {
			return nil
		}
	}
	return value
}

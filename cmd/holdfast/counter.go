package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/holdfast-sessions/holdfast"
)

// readCounter answers the counter, 0 if there is none.
func (a *app) readCounter(w http.ResponseWriter, r *http.Request) {
	s, name := a.sessions.From(r.Context()), r.PathValue("name")
	n, err := holdfast.NewKey[int64](name).Lookup(s)
	if errors.Is(err, holdfast.ErrNoAttribute) {
		n, err = 0, nil
	}
	answerCounter(w, s, name, n, err)
}

// addOne answers the counter as this request's commit stored it: read before
// the commit it could be a number that another request was given too.
func (a *app) addOne(w http.ResponseWriter, r *http.Request) {
	s, name := a.sessions.From(r.Context()), r.PathValue("name")
	err := increment(s, name)
	if err == nil {
		err = s.Commit()
	}
	var n int64
	if err == nil {
		n, err = holdfast.NewKey[int64](name).Lookup(s)
	}
	answerCounter(w, s, name, n, err)
}

func increment(s *holdfast.Session, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return holdfast.NewKey[int64](name).Update(s, func(n *int64) error { *n++; return nil })
}

func answerCounter(w http.ResponseWriter, s *holdfast.Session, name string, n int64, err error) {
	if err != nil {
		fail(w, s, counterError(s, name, err))
		return
	}
	writeJSON(w, http.StatusOK, map[string]int64{"value": n})
}

// counterError explains err if it comes from an attribute that is no counter.
func counterError(s *holdfast.Session, name string, err error) error {
	value, ok := s.Raw(name)
	if _, counts := value.(int64); ok && !counts && errors.Is(err, holdfast.ErrUnreadable) {
		return &problem{http.StatusConflict, fmt.Sprintf("attribute %q is not a counter: remove it or choose another name", name)}
	}
	return err
}

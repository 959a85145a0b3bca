package main

import (
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// apiRoutes adds the JSON API. Others test against it: it stays as it is.
func (a *app) apiRoutes(handle func(pattern string, h http.HandlerFunc)) {
	handle("GET /none", a.none)
	handle("GET /session", a.show)
	handle("POST /session", a.setFields)
	handle("DELETE /session/{name}", a.remove)
	handle("GET /counter/{name}", a.readCounter)
	handle("POST /counter/{name}", a.addOne)
	handle("POST /slow", a.slow)
	handle("POST /login", a.login)
	handle("POST /renew", a.renew)
	handle("POST /logout", a.logout)
	handle("GET /explain", a.explain)
	handle("GET /events", a.events)
}

func (a *app) none(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok")
}

// show answers with the session as it is.
func (a *app) show(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.From(r.Context())
	v, err := a.viewOf(r, s)
	if err != nil {
		fail(w, s, err)
		return
	}
	writeJSON(w, http.StatusOK, v)
}

// change lets do work on the session, stores it and answers with it.
func (a *app) change(w http.ResponseWriter, r *http.Request, do func(*holdfast.Session) error) {
	s := a.sessions.From(r.Context())
	err := do(s)
	if err == nil {
		err = s.Commit()
	}
	if err != nil {
		fail(w, s, err)
		return
	}
	a.show(w, r)
}

func (a *app) setFields(w http.ResponseWriter, r *http.Request) {
	a.change(w, r, func(s *holdfast.Session) error {
		fields, err := formFields(w, r)
		if err == nil && len(fields) == 0 {
			err = &problem{http.StatusBadRequest, "the form has no fields: send name=value"}
		}
		if err != nil {
			return err
		}
		return set(s, fields)
	})
}

// formLimit is above what memcached takes as one item by default, so that a
// session can be made too large from outside.
const formLimit = 4 << 20

// formFields reads the form in the body of r.
func formFields(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, formLimit)
	switch err := r.ParseForm(); {
	case err == nil:
	case isTooLong(err):
		return nil, &problem{http.StatusRequestEntityTooLarge, "the form is larger than 4 MiB"}
	default:
		return nil, &problem{http.StatusBadRequest, "not a form: " + err.Error()}
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); r.ContentLength != 0 && kind != formType {
		return nil, &problem{http.StatusBadRequest, "not a form: send " + formType}
	}
	for name := range r.PostForm {
		if err := checkName(name); err != nil {
			return nil, err
		}
	}
	return r.PostForm, nil
}

const formType = "application/x-www-form-urlencoded"

// checkName refuses the names that an attribute cannot have here. It comes
// before the first change, so that a refused request changes nothing.
func checkName(name string) error {
	switch name {
	case "":
		return &problem{http.StatusBadRequest, "an attribute needs a name"}
	case noticeName:
		return &problem{http.StatusBadRequest, "the name " + noticeName + " is the page's own: choose another"}
	}
	return nil
}

func isTooLong(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}

// set makes an attribute of each field. Of a field given twice the last counts.
func set(s *holdfast.Session, fields url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if err := holdfast.NewKey[string](name).Set(s, fields[name][len(fields[name])-1]); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) remove(w http.ResponseWriter, r *http.Request) {
	a.change(w, r, func(s *holdfast.Session) error {
		return holdfast.NewKey[string](r.PathValue("name")).Delete(s)
	})
}

// slow holds a request open between its parts, so that others can come in
// between. It does not end early when the client leaves: what runs goes on.
func (a *app) slow(w http.ResponseWriter, r *http.Request) {
	a.change(w, r, func(s *holdfast.Session) error {
		wait, at, err := slowness(r.URL.Query())
		if err != nil {
			return err
		}
		fields, err := formFields(w, r)
		if err != nil {
			return err
		}
		if !s.Exists() { // loads
			if err := s.Err(); err != nil {
				return err
			}
		}
		if at == "read" {
			time.Sleep(wait)
			return set(s, fields)
		}
		if err := set(s, fields); err != nil {
			return err
		}
		time.Sleep(wait)
		return nil
	})
}

// slowness reads how long /slow waits, and after what: "read" or "write".
func slowness(query url.Values) (wait time.Duration, at string, err error) {
	const longest = 60_000
	ms, at := 500, "read"
	if query.Has("ms") {
		ms, err = strconv.Atoi(query.Get("ms"))
	}
	if query.Has("at") {
		at = query.Get("at")
	}
	if err != nil || ms < 0 || ms > longest || at != "read" && at != "write" {
		return 0, "", &problem{http.StatusBadRequest, "want ms=0 to 60000 and at=read or at=write"}
	}
	return time.Duration(ms) * time.Millisecond, at, nil
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	a.change(w, r, func(s *holdfast.Session) error {
		user := r.URL.Query().Get("user")
		if user == "" {
			return &problem{http.StatusBadRequest, "who? /login?user=NAME"}
		}
		return s.Login(user)
	})
}

func (a *app) renew(w http.ResponseWriter, r *http.Request) {
	a.change(w, r, func(s *holdfast.Session) error {
		return s.Renew()
	})
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.From(r.Context())
	if err := s.Destroy(); err != nil {
		fail(w, s, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

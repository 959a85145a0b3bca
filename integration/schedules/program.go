package schedules

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// The program that all app servers run. Each request does one thing, stores it, and
// says what came of it in a header.

const (
	outcomeHeader = "X-Outcome"
	ownerHeader   = "X-Owner"

	sDone    = "done"
	sMissing = "missing" // there is no such session
	sRefused = "refused" // certainly not done
	sUnknown = "unknown"
)

// A deed is what a request does with its session. It returns what to show.
type deed func(s *holdfast.Session, r *http.Request) (string, error)

func program() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/begin", func(w http.ResponseWriter, r *http.Request) { do(w, r, begin) })
	for path, what := range map[string]deed{
		"/set": set, "/delete": remove, "/update": update, "/read": read, "/hold": hold,
		"/login": login, "/renew": renew, "/logout": logout,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			s := holdfast.From(r.Context())
			exists := s.Exists()
			switch err := s.Err(); {
			case err != nil:
				w.Header().Set(outcomeHeader, sRefused) // nothing was tried
				http.Error(w, err.Error(), holdfast.StatusOf(err))
			case !exists:
				w.Header().Set(outcomeHeader, sMissing)
				w.WriteHeader(http.StatusGone)
			default:
				do(w, r, what)
			}
		})
	}
	return mux
}

// do does what, stores it and tells.
func do(w http.ResponseWriter, r *http.Request, what deed) {
	s := holdfast.From(r.Context())
	shown, err := what(s, r)
	if err == nil {
		err = s.Commit()
	}
	_ = s.Err() // the same, and looked at
	if err != nil {
		w.Header().Set(outcomeHeader, outcomeOf(err))
		http.Error(w, err.Error(), holdfast.StatusOf(err))
		return
	}
	w.Header().Set(outcomeHeader, sDone)
	w.Header().Set(ownerHeader, s.Owner())
	_, _ = fmt.Fprint(w, shown) // a recorder
}

// outcomeOf says what the client knows after err: little, since a change whose answer
// was lost may have been there before what the error tells of.
func outcomeOf(err error) string {
	switch {
	case errors.Is(err, holdfast.ErrLockLost), errors.Is(err, holdfast.ErrLockTimeout):
		return sRefused // as their comments say
	}
	return sUnknown
}

func text(r *http.Request) holdfast.Key[string] { return holdfast.NewKey[string](r.FormValue("k")) }
func number(r *http.Request) holdfast.Key[int64] {
	return holdfast.NewKey[int64](r.FormValue("k"))
}

func begin(s *holdfast.Session, _ *http.Request) (string, error) {
	return "", holdfast.NewKey[bool]("begun").Set(s, true)
}

func set(s *holdfast.Session, r *http.Request) (string, error) {
	return "", text(r).Set(s, r.FormValue("v"))
}

func remove(s *holdfast.Session, r *http.Request) (string, error) { return "", text(r).Delete(s) }

// update tells the number that was stored, so it stores first.
func update(s *holdfast.Session, r *http.Request) (string, error) {
	err := number(r).Update(s, func(n *int64) error { *n++; return nil })
	if err == nil {
		err = s.Commit()
	}
	now, _ := number(r).Get(s)
	return strconv.FormatInt(now, 10), err
}

// hold is an update by a handler that takes its time.
func hold(s *holdfast.Session, r *http.Request) (string, error) {
	ms, _ := strconv.Atoi(r.FormValue("ms"))
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return update(s, r)
}

func read(s *holdfast.Session, r *http.Request) (string, error) {
	if r.FormValue("k") == counter {
		n, ok := number(r).Get(s)
		if !ok {
			return "", s.Err()
		}
		return strconv.FormatInt(n, 10), nil
	}
	v, _ := text(r).Get(s)
	return v, s.Err()
}

func login(s *holdfast.Session, r *http.Request) (string, error) {
	return "", s.Login(r.FormValue("v"))
}

func renew(s *holdfast.Session, _ *http.Request) (string, error)  { return "", s.Renew() }
func logout(s *holdfast.Session, _ *http.Request) (string, error) { return "", s.Destroy() }

// counter is the attribute that is updated; all others are set and deleted.
const counter = "n"

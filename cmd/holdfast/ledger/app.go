package ledger

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// An Outcome is what a client knows of its request.
type Outcome string

const (
	Done    Outcome = "done"    // acknowledged
	Gone    Outcome = "gone"    // there is no such session
	Refused Outcome = "refused" // certainly nothing was changed
	Unknown Outcome = "unknown" // perhaps it was
)

// An Answer is the body of every response.
type Answer struct {
	Outcome Outcome `json:"outcome"`
	Count   int64   `json:"count"`
	Note    int64   `json:"note"`
}

var (
	count = holdfast.NewKey[int64]("count")
	note  = holdfast.NewKey[int64]("note")
)

const longestThought = 40 * time.Millisecond

// Handler is the app: a session with a counter and a note.
func Handler(m *holdfast.Manager) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, do func(*holdfast.Session, *http.Request) error) {
		mux.Handle(pattern, m.Handler(answering(m, do)))
	}
	handle("POST /begin", begin)
	handle("GET /read", existing(read))
	handle("POST /add", existing(add))
	handle("POST /add/at-once", existing(addAtOnce))
	handle("POST /note", existing(setNote))
	handle("POST /logout", existing(logout))
	return mux
}

// answering commits what do did and answers with the session as it is then.
func answering(m *holdfast.Manager, do func(*holdfast.Session, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := m.From(r.Context())
		err := do(s, r)
		if err == nil {
			err = s.Commit()
		}
		a := Answer{Outcome: outcomeOf(err)}
		if err == nil {
			a.Count, _ = count.Get(s)
			a.Note, _ = note.Get(s)
		}
		_ = s.Err() // answered here
		w.WriteHeader(status(err))
		_ = json.NewEncoder(w).Encode(a) // a client that left is no error of ours
	}
}

func outcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return Done
	case errors.Is(err, holdfast.ErrNoSession), errors.Is(err, holdfast.ErrDestroyed):
		return Gone
	case errors.Is(err, holdfast.ErrUnknownOutcome):
		return Unknown
	}
	return Refused
}

func status(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return holdfast.StatusOf(err)
}

// existing keeps do from beginning a session in place of one that is gone.
func existing(do func(*holdfast.Session, *http.Request) error) func(*holdfast.Session, *http.Request) error {
	return func(s *holdfast.Session, r *http.Request) error {
		if s.Exists() {
			return do(s, r)
		}
		if err := s.Err(); err != nil {
			return err
		}
		return holdfast.ErrNoSession
	}
}

func begin(s *holdfast.Session, _ *http.Request) error { return s.Login("somebody") }

func read(*holdfast.Session, *http.Request) error { return nil }

// add leaves others time between its read and its write, as programs do.
func add(s *holdfast.Session, r *http.Request) error {
	time.Sleep(rand.N(longestThought))
	return addAtOnce(s, r)
}

func addAtOnce(s *holdfast.Session, _ *http.Request) error {
	return count.Update(s, func(n *int64) error { *n++; return nil })
}

func setNote(s *holdfast.Session, r *http.Request) error {
	var n int64
	if err := json.Unmarshal([]byte(r.URL.Query().Get("n")), &n); err != nil {
		return err
	}
	return note.Set(s, n)
}

func logout(s *holdfast.Session, _ *http.Request) error { return s.Destroy() }

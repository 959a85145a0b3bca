package migration

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/sessions"
)

// A letter that a visitor writes.
type letter struct {
	To   string
	Text string
}

// letterDesk is the program of docs/from-gorilla.md before the change.
func letterDesk(store sessions.Store) http.Handler {
	gob.Register(letter{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "desk")
		s.Values["user"] = r.FormValue("user")
		s.Options.MaxAge = 0
		if r.FormValue("remember") != "" {
			s.Options.MaxAge = 30 * 24 * 60 * 60
		}
		if err := s.Save(r, w); err != nil {
			http.Error(w, "please try again", http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("POST /draft", func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "desk")
		s.Values["draft"] = letter{To: r.FormValue("to"), Text: r.FormValue("text")}
		s.AddFlash("saved")
		if err := s.Save(r, w); err != nil {
			http.Error(w, "please try again", http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "desk")
		user, _ := s.Values["user"].(string)
		l, _ := s.Values["draft"].(letter)
		hints := s.Flashes()
		if err := s.Save(r, w); err != nil {
			http.Error(w, "please try again", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, user, "to", l.To, hints)
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "desk")
		s.Options.MaxAge = -1
		if err := s.Save(r, w); err != nil {
			http.Error(w, "please try again", http.StatusInternalServerError)
		}
	})
	return mux
}

func newDesk() http.Handler {
	return letterDesk(sessions.NewCookieStore(bytes.Repeat([]byte("k"), 32)))
}

func TestTheProgramForGorillaDoesWhatItsSuccessorDoes(t *testing.T) {
	v := newVisitor(t, newDesk())
	v.post("/login", "user", "bob", "remember", "on")
	v.post("/draft", "to", "ann", "text", "hello")
	v.sees("bob to ann [saved]\n", "bob to ann []\n")
	v.post("/logout")
	v.sees(" to  []\n")
}

// What docs/from-gorilla.md says of gorilla/sessions, where it is not obvious.

func TestACopyOfGorillasCookieOutlivesTheLogout(t *testing.T) {
	v := newVisitor(t, newDesk())
	v.post("/login", "user", "bob", "remember", "on")
	thief := v.copy()
	v.post("/logout")
	thief.sees("bob to  []\n")
}

func TestGorillasCookieHoldsFourKilobytes(t *testing.T) {
	v := newVisitor(t, newDesk())
	if got := v.post("/draft", "to", "ann", "text", strings.Repeat("a", 3<<10)); got != "please try again\n" {
		t.Errorf("3 KiB in gorilla's cookie: got %q, want its error", got)
	}
}

func TestGorillasCookieIsSeenByScripts(t *testing.T) {
	v := newVisitor(t, newDesk())
	v.post("/login", "user", "bob")
	if c := v.cookies["desk"]; c == nil || c.HttpOnly || c.SameSite != http.SameSiteNoneMode || !c.Secure {
		t.Errorf("gorilla's cookie is %v, want neither HttpOnly nor SameSite other than None", c)
	}
}

func TestGorillasSaveAfterTheFirstByteIsInVain(t *testing.T) {
	store := sessions.NewCookieStore(bytes.Repeat([]byte("k"), 32))
	v := newVisitor(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "desk")
		fmt.Fprintln(w, "done")
		if err := s.Save(r, w); err != nil {
			t.Error(err)
		}
	}))
	v.post("/")
	if len(v.cookies) != 0 {
		t.Errorf("the cookies %v left after the header", v.cookies)
	}
}

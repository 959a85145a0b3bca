package migration

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
)

// basketShop is the program of docs/from-scs.md before the change.
func basketShop(sessions *scs.SessionManager) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.RenewToken(r.Context()); err != nil {
			http.Error(w, "please try again", http.StatusInternalServerError)
			return
		}
		sessions.Put(r.Context(), "user", r.FormValue("user"))
		sessions.Put(r.Context(), "notice", "welcome")
	})
	mux.HandleFunc("POST /add", func(_ http.ResponseWriter, r *http.Request) {
		items, _ := sessions.Get(r.Context(), "basket").([]string)
		sessions.Put(r.Context(), "basket", append(items, r.FormValue("item")))
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		items, _ := sessions.Get(r.Context(), "basket").([]string)
		notice := sessions.PopString(r.Context(), "notice")
		fmt.Fprintln(w, sessions.GetString(r.Context(), "user"), items, notice)
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.Destroy(r.Context()); err != nil {
			http.Error(w, "please try again", http.StatusInternalServerError)
		}
	})
	return sessions.LoadAndSave(mux)
}

func TestTheProgramForScsDoesWhatItsSuccessorDoes(t *testing.T) {
	v := newVisitor(t, basketShop(scs.New()))
	v.post("/login", "user", "bob")
	v.post("/add", "item", "tea")
	v.sees("bob [tea] welcome\n", "bob [tea] \n")
	v.post("/logout")
	v.sees(" [] \n")
}

// What docs/from-scs.md says of scs, where it is not obvious.

func TestScsBringsADestroyedSessionBack(t *testing.T) {
	sessions := scs.New()
	began, ended := make(chan bool), make(chan bool)
	mux := http.NewServeMux()
	mux.Handle("/", basketShop(sessions))
	mux.Handle("POST /slow", sessions.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		sessions.Put(r.Context(), "slow", true)
		began <- true
		<-ended
	})))
	v := newVisitor(t, mux)
	v.post("/login", "user", "bob")
	thief := v.copy()
	done := make(chan bool)
	go func() { defer close(done); thief.post("/slow") }()
	<-began
	after := v.copy()
	v.post("/logout")
	ended <- true
	<-done
	after.sees("bob [] welcome\n")
}

func TestScsForgetsWhatIsPutAfterTheFirstByte(t *testing.T) {
	sessions := scs.New()
	mux := http.NewServeMux()
	mux.Handle("/", basketShop(sessions))
	mux.Handle("POST /late", sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "done")
		sessions.Put(r.Context(), "user", "ann")
	})))
	v := newVisitor(t, mux)
	v.post("/login", "user", "bob")
	v.post("/late")
	v.sees("bob [] welcome\n")
}

func TestScsSendsNoCookieAfterAFlush(t *testing.T) {
	sessions := scs.New()
	v := newVisitor(t, sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sessions.Put(r.Context(), "user", "bob")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	})))
	v.post("/")
	if len(v.cookies) != 0 {
		t.Errorf("the cookies %v left after the header", v.cookies)
	}
}

// broken is a store that does not answer.
type broken struct{}

var errBroken = errors.New("the store does not answer")

func (broken) Find(string) ([]byte, bool, error)      { return nil, false, errBroken }
func (broken) Commit(string, []byte, time.Time) error { return errBroken }
func (broken) Delete(string) error                    { return errBroken }

func TestScsAnswersAnErrorAndThePageBehindIt(t *testing.T) {
	sessions := scs.New()
	sessions.Store = broken{}
	sessions.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
	v := newVisitor(t, sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sessions.Put(r.Context(), "user", "bob")
		fmt.Fprintln(w, "saved")
	})))
	if got, want := v.post("/"), errBroken.Error()+"\nsaved\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	v.cookies["session"] = &http.Cookie{Name: "session", Value: "x"}
	if got, want := v.post("/"), errBroken.Error()+"\n"; got != want {
		t.Errorf("with a cookie: got %q, want %q", got, want)
	}
}

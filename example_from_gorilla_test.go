package holdfast_test

import (
	"fmt"
	"log"
	"net/http"
	"net/url"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

// A letter that a visitor writes.
type letter struct {
	To   string
	Text string
}

var (
	draft = holdfast.NewKey[letter]("draft")
	hints = holdfast.NewFlash[string]("hints")
)

// letterDesk is the program of docs/from-gorilla.md after the change.
func letterDesk(m *holdfast.Manager) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		s.Login(r.FormValue("user"))
		if r.FormValue("remember") != "" {
			s.Persist(30 * 24 * time.Hour)
		}
	})
	mux.HandleFunc("POST /draft", func(_ http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		draft.Set(s, letter{To: r.FormValue("to"), Text: r.FormValue("text")})
		hints.Add(s, "saved")
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		l, _ := draft.Get(s)
		fmt.Fprintln(w, s.Owner(), "to", l.To, hints.Take(s))
	})
	mux.HandleFunc("POST /logout", func(_ http.ResponseWriter, r *http.Request) {
		holdfast.From(r.Context()).Destroy()
	})
	return m.Handler(mux)
}

// A program that was written for gorilla/sessions: docs/from-gorilla.md has it as
// it was before.
func Example_fromGorilla() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	browser := holdfasttest.NewClient(m, letterDesk(m))
	browser.Post("/login", url.Values{"user": {"bob"}, "remember": {"on"}})
	browser.Post("/draft", url.Values{"to": {"ann"}, "text": {"hello"}})
	fmt.Print(browser.Get("/").Body)
	fmt.Print(browser.Get("/").Body)
	browser.Post("/logout", nil)
	fmt.Print(browser.Get("/").Body)
	// Output:
	// bob to ann [saved]
	// bob to ann []
	//  to  []
}

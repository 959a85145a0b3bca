package holdfast_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

var notices = holdfast.NewFlash[string]("notices")

// A flash is a message for the next page: shown once, whichever server shows it.
func ExampleFlash() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /save", func(w http.ResponseWriter, r *http.Request) {
		notices.Add(holdfast.From(r.Context()), "Your profile is saved.")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, notices.Take(holdfast.From(r.Context())))
	})

	browser := holdfasttest.NewClient(m, m.Handler(mux))
	browser.Post("/save", nil)
	fmt.Print(browser.Get("/").Body)
	fmt.Print(browser.Get("/").Body)
	// Output:
	// [Your profile is saved.]
	// []
}

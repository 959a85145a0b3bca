package holdfast_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

var theme = holdfast.NewKey[string]("theme")

// Lookup tells "not there" from "cannot tell". This page can do without its
// session, and looks plain while the store is away.
func ExampleKey_Lookup() {
	node := memorystore.New(nil)
	m, err := holdfast.New([]store.Node{{Name: "n1", Store: node}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	browser := holdfasttest.NewClient(m, m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		name, err := theme.Lookup(s)
		switch {
		case errors.Is(err, holdfast.ErrNoAttribute):
			fmt.Fprintln(w, "please choose a theme")
		case errors.Is(s.Err(), holdfast.ErrUnavailable): // Err marks the error as seen
			fmt.Fprintln(w, "a plain page")
		default:
			fmt.Fprintln(w, "a", name, "page")
		}
	})))
	fmt.Print(browser.Get("/").Body)
	browser.Session(func(s *holdfast.Session) { theme.Set(s, "dark") })
	fmt.Print(browser.Get("/").Body)
	node.Close() // from now on it does not answer
	fmt.Print(browser.Get("/").Body)
	// Output:
	// please choose a theme
	// a dark page
	// a plain page
}

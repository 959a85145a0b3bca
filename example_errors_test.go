package holdfast_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

var language = holdfast.NewKey[string]("language")

// Errors need no checks: after one that the handler has not seen, its response
// is replaced by an error page, so that no page is made from a session that
// could not be read. A handler that calls Err has seen the error, and what it
// writes is the answer.
func ExampleSession_Err() {
	node := memorystore.New(nil)
	m, err := holdfast.New([]store.Node{{Name: "n1", Store: node}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		lang, _ := language.Get(s)
		fmt.Fprintf(w, "a page in %q\n", lang)
	})
	mux.HandleFunc("/api", func(w http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		lang, _ := language.Get(s)
		if err := s.Err(); err != nil {
			w.WriteHeader(holdfast.StatusOf(err))
			fmt.Fprintln(w, `{"error": "your settings cannot be read now"}`)
			return
		}
		fmt.Fprintf(w, "{%q: %q}\n", "language", lang)
	})
	browser := holdfasttest.NewClient(m, m.Handler(mux))
	browser.Session(func(s *holdfast.Session) { language.Set(s, "cy") })

	fmt.Print(browser.Get("/page").Body)
	fmt.Print(browser.Get("/api").Body)
	node.Close() // from now on it does not answer
	fmt.Print(browser.Get("/page").Body)
	fmt.Print(browser.Get("/api").Body)
	// Output:
	// a page in "cy"
	// {"language": "cy"}
	// Your session cannot be reached just now. It is kept; please try again in a moment.
	// {"error": "your settings cannot be read now"}
}

package holdfast_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

// A key is an attribute's name and type. It is declared once.
var visits = holdfast.NewKey[int]("visits")

func countVisit(w http.ResponseWriter, r *http.Request) {
	s := holdfast.From(r.Context())
	visits.Update(s, func(n *int) error { *n++; return nil })
	n, _ := visits.Get(s)
	fmt.Fprintf(w, "visit %d\n", n)
}

// The smallest use: a manager's Handler around the program's own. The client
// stands for a browser.
func Example() {
	m, err := holdfast.New(nil, nil) // nil nodes: this process's memory
	if err != nil {
		log.Fatal(err)
	}
	browser := holdfasttest.NewClient(m, m.Handler(http.HandlerFunc(countVisit)))
	fmt.Print(browser.Get("/").Body)
	fmt.Print(browser.Get("/").Body)
	// Output:
	// visit 1
	// visit 2
}

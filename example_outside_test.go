package holdfast_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

var report = holdfast.NewKey[string]("report")

// With works on a session outside of a request, as a job does that the request
// has started and that ends later. It never begins a session.
func ExampleManager_With() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	jobs := make(chan holdfast.ID, 1)
	browser := holdfasttest.NewClient(m, m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		if text, ok := report.Get(s); ok {
			fmt.Fprintln(w, text)
			return
		}
		report.Set(s, "your report is on its way")
		jobs <- s.ID()
	})))
	browser.Get("/report")

	err = m.With(context.Background(), <-jobs, func(s *holdfast.Session) error {
		return report.Set(s, "42 pages")
	})
	if err != nil {
		log.Fatal(err) // ErrNoSession: the visitor has logged out meanwhile
	}
	fmt.Print(browser.Get("/report").Body)
	// Output:
	// 42 pages
}

package holdfast_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

// Renew gives the session a new id without a login, as before a page where more
// is at stake. Requests that the browser sent at the same moment carry the
// former id; for Options.RenewGrace they still get the session. After a Login
// they do not.
func ExampleSession_Renew() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	show := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Printf("the owner is %q\n", holdfast.From(r.Context()).Owner())
	}))

	former := holdfasttest.With(httptest.NewRequest("GET", "/", nil), m, func(s *holdfast.Session) { s.Login("bob") })
	renewed := holdfasttest.With(former, m, func(s *holdfast.Session) { s.Renew() })
	show.ServeHTTP(httptest.NewRecorder(), former)

	holdfasttest.With(renewed, m, func(s *holdfast.Session) { s.Login("bob") })
	show.ServeHTTP(httptest.NewRecorder(), renewed)
	// Output:
	// the owner is "bob"
	// the owner is ""
}

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

// "Remember me": Persist makes this one session live longer unused, and its
// cookie outlive the browser. All others end after Options.IdleTimeout, or with
// the browser.
func ExampleSession_Persist() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	h := m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		s.Login("bob")
		if r.FormValue("remember") != "" {
			s.Persist(30 * 24 * time.Hour)
		}
	}))

	for _, form := range []url.Values{{}, {"remember": {"on"}}} {
		browser := holdfasttest.NewClient(m, h)
		lasting := browser.Post("/login", form).Result().Cookies()[0].MaxAge > 0
		browser.Session(func(s *holdfast.Session) {
			fmt.Println("lives unused:", s.IdleTimeout(), "- outlives the browser:", lasting)
		})
	}
	// Output:
	// lives unused: 30m0s - outlives the browser: false
	// lives unused: 720h0m0s - outlives the browser: true
}

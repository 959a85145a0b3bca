package holdfast_test

import (
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// hardened puts site behind all that helps against the threats of SECURITY.md.
func hardened(nodes []store.Node, keys [][]byte, site http.Handler) (*holdfast.Manager, http.Handler, error) {
	m, err := holdfast.New(nodes, &holdfast.Options{
		Keys:            keys,             // nodes can neither read nor make sessions, and invented ids cost nothing
		IdleTimeout:     15 * time.Minute, // a stolen cookie that nobody uses
		AbsoluteTimeout: 12 * time.Hour,   // and one that the thief uses
	})
	if err != nil {
		return nil, nil, err
	}
	h := m.Handler(site)
	h = http.MaxBytesHandler(h, 64<<10)            // what a form can put into a session
	h = http.NewCrossOriginProtection().Handler(h) // no form of another site's page
	return m, h, nil
}

// login begins with nothing that a stranger may have put into the session.
func login(s *holdfast.Session, user string) error {
	s.Clear()
	return s.Login(user)
}

// A site whose sessions are worth stealing.
func Example_hardened() {
	key := make([]byte, 32)
	rand.Read(key) // a program reads it from a file
	nodes := []store.Node{{Name: "n1", Store: memorystore.New(nil)}}
	m, site, err := hardened(nodes, [][]byte{key}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		login(holdfast.From(r.Context()), "bob")
	}))
	if err != nil {
		log.Fatal(err)
	}
	browser := holdfasttest.NewClient(m, site)
	fmt.Println(browser.Post("/login", nil).Code)

	forged := httptest.NewRequest("POST", "/login", nil)
	forged.Header.Set("Sec-Fetch-Site", "cross-site")
	fmt.Println(browser.Do(forged).Code)
	// Output:
	// 200
	// 403
}

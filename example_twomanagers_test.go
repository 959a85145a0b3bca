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

// Two managers give a visitor two sessions, each with rules of its own. Their
// cookies have different names, and when they share nodes, they have different
// namespaces. Where handlers are nested, Manager.From tells the sessions apart.
func ExampleManager_From() {
	node := memorystore.New(nil)
	newManager := func(opts *holdfast.Options) *holdfast.Manager {
		m, err := holdfast.New([]store.Node{{Name: "n1", Store: node}}, opts)
		if err != nil {
			log.Fatal(err)
		}
		return m
	}
	shop := newManager(&holdfast.Options{Namespace: "shop"})
	office := newManager(&holdfast.Options{
		Namespace: "office",
		Cookie:    holdfast.Cookie{Name: "__Secure-office", Path: "/office", SameSite: http.SameSiteStrictMode},
	})

	who := func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		fmt.Fprintf(w, "%s: customer %q, clerk %q\n", r.URL, shop.From(ctx).Owner(), office.From(ctx).Owner())
	}
	offices := http.NewServeMux()
	offices.HandleFunc("GET /office/", who)
	offices.HandleFunc("POST /office/login", func(_ http.ResponseWriter, r *http.Request) {
		office.From(r.Context()).Login("ann")
	})
	site := http.NewServeMux()
	site.HandleFunc("/", who)
	site.Handle("/office/", office.Handler(offices))

	browser := holdfasttest.NewClient(shop, shop.Handler(site))
	browser.Session(func(s *holdfast.Session) { s.Login("bob") })
	browser.Post("/office/login", nil)
	fmt.Print(browser.Get("/office/").Body)
	fmt.Print(browser.Get("/").Body)
	// Output:
	// /office/: customer "bob", clerk "ann"
	// /: customer "bob", clerk ""
}

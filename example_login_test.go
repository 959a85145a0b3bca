package holdfast_test

import (
	"cmp"
	"fmt"
	"log"
	"net/http"
	"net/url"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

// Login notes the user and gives the session a new id. The former id finds
// nothing from then on, so whoever planted it in the browser gains nothing.
// Destroy ends the session for good, on all servers.
func ExampleSession_Login() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("password") != "sesame" { // a program asks its database
			http.Error(w, "wrong name or password", http.StatusUnauthorized)
			return
		}
		holdfast.From(r.Context()).Login(r.FormValue("user"))
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		holdfast.From(r.Context()).Destroy()
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		user := holdfast.From(r.Context()).Owner()
		fmt.Fprintln(w, "hello", cmp.Or(user, "stranger"))
	})

	browser := holdfasttest.NewClient(m, m.Handler(mux))
	fmt.Print(browser.Get("/").Body)
	browser.Post("/login", url.Values{"user": {"bob"}, "password": {"sesame"}})
	fmt.Print(browser.Get("/").Body)
	browser.Post("/logout", nil)
	fmt.Print(browser.Get("/").Body)
	// Output:
	// hello stranger
	// hello bob
	// hello stranger
}

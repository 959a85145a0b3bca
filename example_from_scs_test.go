package holdfast_test

import (
	"fmt"
	"log"
	"net/http"
	"net/url"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

var (
	basket = holdfast.NewKey[[]string]("basket")
	notice = holdfast.NewFlash[string]("notice")
)

// basketShop is the program of docs/from-scs.md after the change.
func basketShop(m *holdfast.Manager) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		s.Login(r.FormValue("user"))
		notice.Add(s, "welcome")
	})
	mux.HandleFunc("POST /add", func(_ http.ResponseWriter, r *http.Request) {
		basket.Update(holdfast.From(r.Context()), func(items *[]string) error {
			*items = append(*items, r.FormValue("item"))
			return nil
		})
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		items, _ := basket.Get(s)
		fmt.Fprintln(w, s.Owner(), items, notice.Take(s))
	})
	mux.HandleFunc("POST /logout", func(_ http.ResponseWriter, r *http.Request) {
		holdfast.From(r.Context()).Destroy()
	})
	return m.Handler(mux)
}

// A program that was written for scs: docs/from-scs.md has it as it was before.
func Example_fromScs() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	browser := holdfasttest.NewClient(m, basketShop(m))
	browser.Post("/login", url.Values{"user": {"bob"}})
	browser.Post("/add", url.Values{"item": {"tea"}})
	fmt.Print(browser.Get("/").Body)
	fmt.Print(browser.Get("/").Body)
	browser.Post("/logout", nil)
	fmt.Print(browser.Get("/").Body)
	// Output:
	// bob [tea] [welcome]
	// bob [tea] []
	//  [] []
}

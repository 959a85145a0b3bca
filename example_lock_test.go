package holdfast_test

import (
	"fmt"
	"net/http"
	"sync"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// A handler that reads an attribute, works on it, and sets it: two at the same time
// would lose one of the two changes. Here each has the session to itself.
func ExampleSession_Lock() {
	node := memorystore.New(nil)
	m, err := holdfast.New([]store.Node{{Name: "n1", Store: node}}, nil)
	if err != nil {
		panic(err)
	}
	items := holdfast.NewKey[[]string]("items")

	site := http.NewServeMux()
	site.HandleFunc("POST /cart/{item}", func(w http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		if err := s.Lock(); err != nil {
			http.Error(w, "Your cart is in use, please try again.", holdfast.StatusOf(err))
			return
		}
		cart, _ := items.Get(s)
		cart = append(cart, r.PathValue("item")) // perhaps after asking another service
		items.Set(s, cart)
	})
	site.HandleFunc("GET /cart", func(w http.ResponseWriter, r *http.Request) {
		cart, _ := items.Get(holdfast.From(r.Context()))
		fmt.Fprintln(w, len(cart), "items")
	})

	browser := holdfasttest.NewClient(m, m.Handler(site))
	browser.Post("/cart/apples", nil)
	var all sync.WaitGroup
	for _, item := range []string{"pears", "plums", "bread"} {
		all.Go(func() { browser.Post("/cart/"+item, nil) })
	}
	all.Wait()
	fmt.Print(browser.Get("/cart").Body)
	// Output: 4 items
}

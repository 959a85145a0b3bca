// Command handlertest is a program that a test is written for: see main_test.go.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"

	"github.com/holdfast-sessions/holdfast"
)

var cart = holdfast.NewKey[[]string]("cart")

func main() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := holdfast.Serve(ctx, &http.Server{Addr: "localhost:8080", Handler: shop(m)}, m); err != nil {
		log.Fatal(err)
	}
}

// shop returns the whole program. main and tests give it a manager each.
func shop(m *holdfast.Manager) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /cart", showCart)
	mux.HandleFunc("POST /cart", addToCart)
	mux.HandleFunc("POST /checkout", checkOut)
	return m.Handler(mux)
}

func showCart(w http.ResponseWriter, r *http.Request) {
	items, _ := cart.Get(holdfast.From(r.Context()))
	fmt.Fprintln(w, "your cart:", strings.Join(items, ", "))
}

func addToCart(w http.ResponseWriter, r *http.Request) {
	cart.Update(holdfast.From(r.Context()), func(items *[]string) error {
		*items = append(*items, r.FormValue("item"))
		return nil
	})
	http.Redirect(w, r, "/cart", http.StatusSeeOther)
}

func checkOut(w http.ResponseWriter, r *http.Request) {
	s := holdfast.From(r.Context())
	if s.Owner() == "" {
		http.Error(w, "please log in", http.StatusUnauthorized)
		return
	}
	items, _ := cart.Take(s)
	fmt.Fprintf(w, "thank you, %s: %s\n", s.Owner(), strings.Join(items, ", "))
}

package holdfast_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

var (
	wallet = holdfast.NewKey[int]("wallet")
	stake  = holdfast.NewKey[int]("stake")

	errTooPoor = errors.New("not enough in the wallet")
)

// bet moves money from one attribute to another, if there is enough. When
// another request was faster, the function runs again on what that one left:
// nobody bets the same coin twice.
func bet(s *holdfast.Session, amount int) error {
	return s.Do(func(s *holdfast.Session) error {
		money, _ := wallet.Get(s)
		if money < amount {
			return errTooPoor // nothing is changed
		}
		wallet.Set(s, money-amount)
		return stake.Update(s, func(n *int) error { *n += amount; return nil })
	})
}

// Do is for a decision that must hold for what is stored: read, decide, change.
func ExampleSession_Do() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	player := holdfasttest.NewClient(m, m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := bet(holdfast.From(r.Context()), 60)
		if errors.Is(err, errTooPoor) {
			http.Error(w, err.Error(), http.StatusPaymentRequired)
			return
		}
		fmt.Fprintln(w, "rien ne va plus") // after any other error this is an error page
	})))
	player.Session(func(s *holdfast.Session) { wallet.Set(s, 100) })
	fmt.Print(player.Get("/bet").Body)
	fmt.Print(player.Get("/bet").Body)
	// Output:
	// rien ne va plus
	// not enough in the wallet
}

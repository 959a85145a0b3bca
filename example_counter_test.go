package holdfast_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

var likes = holdfast.NewKey[int]("likes")

// addLike answers with the number as it was stored: after Commit, Get shows what
// came of all requests, where before it knows of this one only.
func addLike(w http.ResponseWriter, r *http.Request) {
	s := holdfast.From(r.Context())
	likes.Update(s, func(n *int) error { *n++; return nil })
	s.Commit() // if that fails, the response becomes an error page
	n, _ := likes.Get(s)
	fmt.Fprintln(w, n, "likes")
}

// Update loses none of several changes at the same time. Set(Get()+1) does: of
// two requests that read the same number, the later one wins.
func ExampleKey_Update() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	browser := holdfasttest.NewClient(m, m.Handler(http.HandlerFunc(addLike)))
	fmt.Print(browser.Get("/like").Body)

	browser.Session(func(s *holdfast.Session) {
		likes.Update(s, func(n *int) error { *n++; return nil })
		fmt.Print(browser.Get("/like").Body) // a parallel request, and faster
	})
	fmt.Print(browser.Get("/like").Body)

	browser.Session(func(s *holdfast.Session) {
		n, _ := likes.Get(s)
		fmt.Print(browser.Get("/like").Body) // a parallel request
		likes.Set(s, n+1)                    // its like is lost
	})
	fmt.Print(browser.Get("/like").Body)
	// Output:
	// 1 likes
	// 2 likes
	// 4 likes
	// 5 likes
	// 6 likes
}

package holdfast_test

import (
	"crypto/rand"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

var generation = holdfast.NewKey[int]("generation")

// Keys encrypts the stored sessions: the first key encrypts, all decrypt. A key
// is replaced in three steps, each on all servers before the next one, and no
// visitor notices.
func ExampleOptions_keyRotation() {
	formerKey, newKey := make([]byte, 32), make([]byte, 32) // a program reads them from a file
	rand.Read(formerKey)
	rand.Read(newKey)
	nodes := []store.Node{{Name: "n1", Store: memorystore.New(nil)}}

	r := httptest.NewRequest("GET", "/", nil)
	for _, keys := range [][][]byte{
		{formerKey},
		{formerKey, newKey}, // 1. all servers learn to read what the next step writes
		{newKey, formerKey}, // 2. what is stored from now on has the new key
		{newKey},            // 3. when the sessions with the former key have ended
	} {
		m, err := holdfast.New(nodes, &holdfast.Options{Keys: keys})
		if err != nil {
			log.Fatal(err)
		}
		r = holdfasttest.With(r, m, func(s *holdfast.Session) {
			generation.Update(s, func(n *int) error { *n++; return nil })
			n, _ := generation.Get(s)
			fmt.Println(n)
		})
	}
	// Output:
	// 1
	// 2
	// 3
	// 4
}

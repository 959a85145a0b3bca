// Command minimal counts a visitor's visits, on one memcached.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

var visits = holdfast.NewKey[int]("visits")

func hello(w http.ResponseWriter, r *http.Request) {
	s := holdfast.From(r.Context())
	visits.Update(s, func(n *int) error { *n++; return nil })
	n, _ := visits.Get(s)
	fmt.Fprintf(w, "visit %d\n", n)
}

func main() {
	nodes, err := memcachedstore.Nodes("n1:127.0.0.1:11211 n2:127.0.0.1:11212", nil)
	if err != nil {
		log.Fatal(err)
	}
	m, err := holdfast.New(nodes, nil) // nil nodes: this process's memory
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	srv := &http.Server{Addr: ":8080", Handler: m.Handler(http.HandlerFunc(hello))}
	if err := holdfast.Serve(ctx, srv, m); err != nil {
		log.Fatal(err)
	}
}

// Command sse shows a counter that all tabs of a browser share: a click in one
// tab is seen in the others within a second, by server-sent events. A logout
// ends the streams.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

var clicks = holdfast.NewKey[int]("clicks")

//go:embed page.html
var page string

func main() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	srv := &http.Server{Addr: "localhost:8080", Handler: m.Handler(routes(ctx))}
	log.Print("see http://", srv.Addr)
	if err := holdfast.Serve(ctx, srv, m); err != nil {
		log.Fatal(err)
	}
}

// routes returns the program. Its streams end with ctx, or the server could not
// stop.
func routes(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", show)
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) { stream(ctx, w, r) })
	mux.HandleFunc("POST /click", func(_ http.ResponseWriter, r *http.Request) {
		clicks.Update(holdfast.From(r.Context()), func(n *int) error { *n++; return nil })
	})
	mux.HandleFunc("POST /logout", func(_ http.ResponseWriter, r *http.Request) {
		holdfast.From(r.Context()).Destroy()
	})
	return mux
}

// show begins the session, so that the page's stream has one.
func show(w http.ResponseWriter, r *http.Request) {
	if s := holdfast.From(r.Context()); !s.Exists() {
		clicks.Set(s, 0)
	}
	io.WriteString(w, page)
}

// stream sends the counter every second. Refresh shows the session as it is
// stored now and keeps it alive, and fails when the session has ended.
func stream(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	s := holdfast.From(r.Context())
	if !s.Exists() {
		w.WriteHeader(http.StatusNoContent) // the browser does not try again
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for s.Refresh(); s.Err() == nil; s.Refresh() {
		n, _ := clicks.Get(s)
		fmt.Fprintf(w, "data: %d\n\n", n)
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-second.C:
		case <-ctx.Done():
			return
		case <-r.Context().Done():
			return
		}
	}
}

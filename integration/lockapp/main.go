// Command lockapp is an app server that adds to a number in the session in the way
// that only a lock makes safe: it reads the number, works, and sets it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

var number = holdfast.NewKey[int]("number")

func main() {
	listen := flag.String("listen", "", "where to listen")
	nodes := flag.String("nodes", "", "the cache nodes")
	mode := flag.String("mode", "none", "none, all, auto, requests, or app: handlers lock")
	wait := flag.Duration("wait", 0, "for a lock")
	lease := flag.Duration("lease", 0, "of a lock")
	flag.Parse()
	list, err := memcachedstore.Nodes(*nodes, nil)
	if err != nil {
		log.Fatal(err)
	}
	m, err := holdfast.New(list, &holdfast.Options{
		Cookie:           holdfast.Cookie{AllowInsecure: true},
		OperationTimeout: time.Second,
		Locking:          locking(*mode, *wait, *lease),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	err = holdfast.Serve(ctx, &http.Server{Addr: *listen, Handler: m.Handler(site(*mode == "app"))}, m)
	if err != nil {
		log.Fatal(err)
	}
}

func locking(mode string, wait, lease time.Duration) holdfast.Locking {
	l := holdfast.Locking{Wait: wait, Lease: lease}
	switch mode {
	case "all":
		l.Mode = holdfast.LockAll
	case "auto":
		l.Mode = holdfast.LockAuto
	case "requests":
		l.Mode = holdfast.LockRequests
		l.Request = func(r *http.Request) bool { return r.URL.Path == "/add" }
	}
	return l
}

// site leaves errors of the session to Handler, which answers for them.
func site(lock bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /begin", func(_ http.ResponseWriter, r *http.Request) {
		_ = number.Set(holdfast.From(r.Context()), 0)
	})
	mux.HandleFunc("GET /number", func(w http.ResponseWriter, r *http.Request) {
		n, _ := number.Get(holdfast.From(r.Context()))
		_, _ = fmt.Fprint(w, n)
	})
	mux.HandleFunc("POST /add", func(_ http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		if lock && s.Lock() != nil {
			return
		}
		n, _ := number.Get(s)
		work, _ := time.ParseDuration(r.FormValue("work"))
		time.Sleep(work)
		_ = number.Set(s, n+1)
	})
	return mux
}

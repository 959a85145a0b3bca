package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// appRole is the first argument of a process that is an app server.
const appRole = "app"

// serveApp is an app server: the contestant's name, then the addresses of its nodes. It
// prints its address, and ends when its standard input does, which is the other process's end.
func serveApp(args []string) error {
	if len(args) == 0 {
		return errors.New("an app server needs the name of a contestant")
	}
	c, err := contestantCalled(args[0])
	if err != nil {
		return err
	}
	s, err := c.open(args[1:])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: s.handler()}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = srv.Close()
	}()
	fmt.Println(listener.Addr())
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// handler has the pages that are measured, inside of the contestant's middleware, and
// outside of it the page that measures.
func (s *site) handler() http.Handler {
	pages := s.pages()
	if s.wrap != nil {
		pages = s.wrap(pages)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+usagePath, s.answerUsage)
	mux.Handle("/", pages)
	return mux
}

func (s *site) pages() http.Handler {
	text := strings.Repeat("t", textSize)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /unused", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /read", answer(func(_ http.ResponseWriter, r *http.Request) (visit, error) { return s.load(r) }))
	mux.HandleFunc("POST /change", answer(s.add))
	mux.HandleFunc("POST /new/{user}", answer(func(w http.ResponseWriter, r *http.Request) (visit, error) {
		v := visit{user: r.PathValue("user"), text: text}
		return v, s.begin(w, r, v)
	}))
	mux.HandleFunc("POST /destroy", answer(func(w http.ResponseWriter, r *http.Request) (visit, error) {
		return visit{}, s.end(w, r)
	}))
	return mux
}

// answer shows what the load checks.
func answer(do func(http.ResponseWriter, *http.Request) (visit, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := do(w, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprintf(w, "%s %d %d\n", v.user, v.count, len(v.text))
	}
}

const usagePath = "/-/usage"

// answerUsage first waits until what was done behind the requests has been done, so
// that it is counted with them.
func (s *site) answerUsage(w http.ResponseWriter, r *http.Request) {
	for deadline := time.Now().Add(20 * time.Second); s.unsent != nil && s.unsent() > 0; {
		if time.Now().After(deadline) {
			http.Error(w, "changes are still not stored", http.StatusServiceUnavailable)
			return
		}
		time.Sleep(time.Millisecond)
	}
	if r.URL.RawQuery == "collect" {
		runtime.GC() // the first lets finalizers and pools go
		runtime.GC()
	}
	u, err := measure.UsageNow()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(u)
}

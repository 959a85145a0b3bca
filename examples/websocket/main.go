// Command websocket is a notebook: what a visitor writes is in the session, and
// so on every page and on every server. A logout closes the socket.
package main

import (
	"context"
	_ "embed"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/holdfast-sessions/holdfast"
)

var lines = holdfast.NewKey[[]string]("lines")

//go:embed page.html
var page string

func main() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	srv := &http.Server{Addr: "localhost:8080", Handler: m.Handler(routes())}
	log.Print("see http://", srv.Addr)
	if err := holdfast.Serve(ctx, srv, m); err != nil {
		log.Fatal(err)
	}
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, page) })
	mux.HandleFunc("GET /socket", socket)
	mux.HandleFunc("POST /logout", func(_ http.ResponseWriter, r *http.Request) {
		holdfast.From(r.Context()).Destroy()
	})
	return mux
}

// socket shows the session's lines and adds each message to them.
//
// A session must begin before Accept, whose response is the last that can carry
// its cookie. Later changes are stored by Commit, which also keeps the session
// alive, and fails when it has ended.
func socket(w http.ResponseWriter, r *http.Request) {
	s := holdfast.From(r.Context())
	if !s.Exists() {
		lines.Set(s, nil)
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	for {
		all, _ := lines.Get(s)
		if wsjson.Write(r.Context(), conn, all) != nil {
			return // the visitor has left
		}
		_, line, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		lines.Update(s, func(all *[]string) error {
			*all = append(*all, string(line))
			return nil
		})
		if s.Commit(); s.Err() != nil {
			conn.Close(websocket.StatusPolicyViolation, "Your session has ended: please reload the page.")
			return
		}
	}
}

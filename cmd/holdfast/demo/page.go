package demo

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"net"
	"net/http"
	"strings"
)

//go:embed templates static
var files embed.FS

// contentPolicy lets the page load and ask its own server, and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// pageData is what templates/page.html shows.
type pageData struct {
	Servers, Nodes []string
	Modes          []modeView
	Users          int
}

// A modeView is one mode to choose.
type modeView struct{ Name, Title, Text string }

// handler is all that the balancer's address answers, until ctx ends.
func (d *demo) handler(ctx context.Context, at net.Addr) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", d.page())
	mux.Handle("GET /static/", staticFiles())
	mux.HandleFunc("GET /demo/events", func(w http.ResponseWriter, r *http.Request) { d.events(w, r, ctx.Done()) })
	d.controlRoutes(mux)
	for _, path := range []string{"/session", "/session/", "/counter/", loadPath + "/"} {
		mux.Handle(path, d.proxy)
	}
	return onlyFrom(at, http.NewCrossOriginProtection().Handler(mux))
}

// onlyFrom refuses requests to a name that somebody else may have pointed here, if at
// is an address that only this machine can reach: a page of that name would pass for
// one of ours.
func onlyFrom(at net.Addr, next http.Handler) http.Handler {
	tcp, ok := at.(*net.TCPAddr)
	if !ok || !tcp.IP.IsLoopback() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := strings.Trim(hostOf(r.Host), "[]")
		if host != "localhost" && net.ParseIP(host) == nil {
			http.Error(w, "refused: ask for this page by its address", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

// page is the same for everybody: what it shows comes with the events.
func (d *demo) page() http.HandlerFunc {
	data := pageData{Users: userCount}
	for i := range size {
		data.Servers = append(data.Servers, d.cluster.servers[i].Name)
		data.Nodes = append(data.Nodes, d.cluster.nodes[i].Name)
	}
	for _, m := range modes() {
		title, text := described(m)
		data.Modes = append(data.Modes, modeView{m.Name, title, text})
	}
	var page bytes.Buffer
	err := template.Must(template.ParseFS(files, "templates/page.html")).Execute(&page, data)
	return func(w http.ResponseWriter, _ *http.Request) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		_, _ = w.Write(page.Bytes()) // a client that left is no error of ours
	}
}

func staticFiles() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		http.ServeFileFS(w, r, files, strings.TrimPrefix(r.URL.Path, "/"))
	})
}

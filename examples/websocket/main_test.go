package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

// A tab is one socket of a visitor.
type tab struct {
	*websocket.Conn
	t    *testing.T
	ctx  context.Context
	sent *http.Response // the handshake's
}

// open opens the socket that r asks for, with r's cookies.
func open(t *testing.T, server *httptest.Server, r *http.Request) *tab {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	conn, resp, err := websocket.Dial(ctx, server.URL+"/socket", &websocket.DialOptions{HTTPHeader: r.Header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return &tab{Conn: conn, t: t, ctx: ctx, sent: resp}
}

func (s *tab) write(line string) {
	s.t.Helper()
	if err := s.Write(s.ctx, websocket.MessageText, []byte(line)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *tab) wantLines(want ...string) {
	s.t.Helper()
	var got []string
	if err := wsjson.Read(s.ctx, s.Conn, &got); err != nil {
		s.t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("the socket shows %q, want %q", got, want)
	}
}

func start(t *testing.T) (*holdfast.Manager, *httptest.Server) {
	t.Helper()
	m := holdfasttest.New(t, nil)
	server := httptest.NewServer(m.Handler(routes()))
	t.Cleanup(server.Close)
	return m, server
}

func request(server *httptest.Server) *http.Request {
	return httptest.NewRequest("GET", server.URL, nil)
}

func TestSocketsShareTheSessionWithEachOtherAndWithRequests(t *testing.T) {
	m, server := start(t)
	r := holdfasttest.With(request(server), m, func(s *holdfast.Session) { lines.Set(s, []string{"one"}) })
	first, second := open(t, server, r), open(t, server, r)
	first.wantLines("one")
	second.wantLines("one")
	first.write("two")
	first.wantLines("one", "two")
	second.write("three") // knows of one only, and loses nothing
	second.wantLines("one", "two", "three")
	holdfasttest.With(r, m, func(s *holdfast.Session) {
		if got, _ := lines.Get(s); len(got) != 3 {
			t.Errorf("a request sees %q, want three lines", got)
		}
	})
}

func TestSocketBeginsASession(t *testing.T) {
	m, server := start(t)
	visitor := open(t, server, request(server))
	visitor.wantLines()
	visitor.write("one")
	visitor.wantLines("one")
	r := request(server)
	for _, c := range visitor.sent.Cookies() {
		r.AddCookie(c)
	}
	holdfasttest.With(r, m, func(s *holdfast.Session) {
		if got, _ := lines.Get(s); !slices.Equal(got, []string{"one"}) {
			t.Errorf("with the cookie of the handshake a request sees %q, want one line", got)
		}
	})
}

func TestLogoutClosesTheSocket(t *testing.T) {
	m, server := start(t)
	r := holdfasttest.With(request(server), m, func(s *holdfast.Session) { lines.Set(s, nil) })
	visitor := open(t, server, r)
	visitor.wantLines()
	holdfasttest.With(r, m, func(s *holdfast.Session) { s.Destroy() })
	visitor.write("after the logout")
	_, _, err := visitor.Read(visitor.ctx)
	if got := websocket.CloseStatus(err); got != websocket.StatusPolicyViolation {
		t.Errorf("the socket ended with %v, want close status 1008", err)
	}
}

func TestPageOpensTheSocket(t *testing.T) {
	m := holdfasttest.New(t, nil)
	browser := holdfasttest.NewClient(m, m.Handler(routes()))
	if got := browser.Get("/").Body.String(); !strings.Contains(got, "new WebSocket") {
		t.Errorf("the page is %q", got)
	}
}

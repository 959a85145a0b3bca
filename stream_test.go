package holdfast_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

func TestInformationalResponsesPassBy(t *testing.T) {
	eachServer(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		on := newTap()
		server := start(newManager(t, on, nil).Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
			textKey.Set(s, "before the hint")
			w.Header().Set("Link", "</a.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			if log := on.drain(); log != "" {
				t.Errorf("the store was asked before the hint left: %s", log)
			}
			textKey.Set(s, "after the hint")
			io.WriteString(w, "page")
		})))
		hints, hint := 0, textproto.MIMEHeader(nil)
		trace := &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			hints, hint = hints+1, h
			return nil
		}}
		r, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, server.URL, nil)
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if hints != 1 || hint["Set-Cookie"] != nil {
			t.Errorf("%d informational responses, %v; want one without a cookie", hints, hint)
		}
		if got, want := stored(t, on, nil, cookieOf(t, resp)), "0|after the hint||"; got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
	})
}

func TestExpectContinue(t *testing.T) {
	on := newTap()
	server := httptest.NewServer(newManager(t, on, nil).Handler(page(func(w http.ResponseWriter, r *http.Request, s *holdfast.Session) {
		body, _ := io.ReadAll(r.Body)
		textKey.Set(s, string(body))
		io.WriteString(w, "thanks")
	})))
	defer server.Close()
	server.Client().Transport.(*http.Transport).ExpectContinueTimeout = time.Minute
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("body"))
	r.Header.Set("Expect", "100-continue")
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, want := stored(t, on, nil, cookieOf(t, resp)), "0|body||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

func TestSwitchingProtocolsIsAHeaderThatLeaves(t *testing.T) {
	on := newTap()
	server := httptest.NewServer(newManager(t, on, nil).Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		textKey.Set(s, "upgraded")
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
	})))
	defer server.Close()
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "echo")
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("status %d, want 101", resp.StatusCode)
	}
	if got, want := stored(t, on, nil, cookieOf(t, resp)), "0|upgraded||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

// Server-sent events: the stream begins with a flush, and the session changes in
// its middle.
func TestAStreamKeepsItsChanges(t *testing.T) {
	eachServer(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		on, next := newTap(), make(chan bool)
		server := start(newManager(t, on, nil).Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
			textKey.Set(s, "begun")
			w.Header().Set("Content-Type", "text/event-stream")
			events := http.NewResponseController(w)
			events.Flush()
			<-next
			increment(s)
			fmt.Fprintf(w, "data: %v\n\n", s.Commit())
			events.Flush()
			<-next
			otherKey.Set(s, "ended")
		})))
		resp := fetch(t, server, http.MethodGet, "/", "")
		cookie, events := cookieOf(t, resp), bufio.NewReader(resp.Body)
		want := func(want string) {
			t.Helper()
			if got := stored(t, on, nil, cookie); got != want {
				t.Errorf("stored %q, want %q", got, want)
			}
		}
		want("0|begun||")
		next <- true
		if line, err := events.ReadString('\n'); line != "data: <nil>\n" || err != nil {
			t.Errorf("event %q, %v", line, err)
		}
		want("1|begun||")
		next <- true
		io.Copy(io.Discard, events)
		want("1|begun|ended|")
	})
}

// upgrade is a handler that takes the connection over, as WebSockets do, and
// runs talk on it. What Hijack answered goes to hijacked.
func upgrade(before func(*holdfast.Session), hijacked chan<- error, talk func(net.Conn, *holdfast.Session)) http.Handler {
	return page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		before(s)
		conn, _, err := http.NewResponseController(w).Hijack()
		hijacked <- err
		if err != nil {
			http.Error(w, "upgrade refused", http.StatusUpgradeRequired)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		talk(conn, s)
	})
}

func noTalk(net.Conn, *holdfast.Session) {}

// beginSession returns the cookie of a session of m that is stored.
func beginSession(m *holdfast.Manager, begin func(*holdfast.Session)) string {
	v := (&visitor{}).session(m, begin)
	v.get("/")
	return v.sends()
}

func TestHijack(t *testing.T) {
	setText := func(s *holdfast.Session) { textKey.Set(s, "old") }
	noHint := func(cookie string) string { id, _, _ := strings.Cut(cookie, "-n1"); return id }
	for name, c := range map[string]struct {
		before  func(*holdfast.Session) // what the request does before
		cookie  func(string) string     // what the browser makes of its cookie
		refused error
		status  int
		stored  string // with the cookie from before
	}{
		"session not used":   {func(*holdfast.Session) {}, nil, nil, 101, "0|old||"},
		"session read":       {func(s *holdfast.Session) { textKey.Get(s) }, nil, nil, 101, "0|old||"},
		"session changed":    {func(s *holdfast.Session) { increment(s) }, nil, nil, 101, "1|old||"},
		"changed and stored": {func(s *holdfast.Session) { increment(s); s.Commit() }, nil, nil, 101, "1|old||"},
		// A wrong hint costs a look-up, never a WebSocket.
		"read, cookie without hint":    {func(s *holdfast.Session) { textKey.Get(s) }, noHint, nil, 101, "0|old||"},
		"changed, cookie without hint": {func(s *holdfast.Session) { increment(s) }, noHint, nil, 101, "1|old||"},
		"destroyed":                    {func(s *holdfast.Session) { s.Destroy() }, nil, nil, 101, "0|||"},
		// Nobody could tell the browser these.
		"new session": {
			func(s *holdfast.Session) { increment(s) }, func(string) string { return "" },
			holdfast.ErrTooLate, http.StatusUpgradeRequired, "0|old||",
		},
		"new session, stored": {
			func(s *holdfast.Session) { increment(s); s.Commit() }, func(string) string { return "" },
			holdfast.ErrTooLate, http.StatusUpgradeRequired, "0|old||",
		},
		"renewed":  {func(s *holdfast.Session) { s.Renew() }, nil, holdfast.ErrTooLate, http.StatusUpgradeRequired, "0|old||"},
		"login":    {func(s *holdfast.Session) { s.Login("bob") }, nil, holdfast.ErrTooLate, http.StatusUpgradeRequired, "0|||"},
		"persists": {func(s *holdfast.Session) { s.Persist(time.Hour) }, nil, holdfast.ErrTooLate, http.StatusUpgradeRequired, "0|old||"},
		// Nobody has looked at the error.
		"error not looked at": {
			func(s *holdfast.Session) { holdfast.NewKey[bool]("text").Get(s) }, nil,
			holdfast.ErrUnreadable, http.StatusInternalServerError, "0|old||",
		},
	} {
		t.Run(name, func(t *testing.T) {
			on, hijacked := newTap(), make(chan error, 1)
			m := newManager(t, on, nil)
			cookie := beginSession(m, setText)
			server := httptest.NewServer(m.Handler(upgrade(c.before, hijacked, noTalk)))
			defer server.Close()
			sent := cookie
			if c.cookie != nil {
				sent = c.cookie(cookie)
			}
			resp := fetch(t, server, http.MethodGet, "/", sent)
			if err := <-hijacked; !errors.Is(err, c.refused) || (err == nil) != (c.refused == nil) {
				t.Errorf("Hijack: %v, want %v", err, c.refused)
			}
			if resp.StatusCode != c.status {
				t.Errorf("status %d, want %d", resp.StatusCode, c.status)
			}
			server.Close()
			if got := stored(t, on, nil, cookie); got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
		})
	}
}

// A session refused to a hijacked connection is stored with the answer.
func TestAfterARefusedHijackTheHandlerCanStillAnswer(t *testing.T) {
	on, hijacked := newTap(), make(chan error, 1)
	handler := upgrade(func(s *holdfast.Session) { increment(s) }, hijacked, noTalk)
	server := httptest.NewServer(newManager(t, on, nil).Handler(handler))
	defer server.Close()
	resp := fetch(t, server, http.MethodGet, "/", "")
	<-hijacked
	if body, _ := io.ReadAll(resp.Body); string(body) != "upgrade refused\n" {
		t.Errorf("the handler's answer came as %q", body)
	}
	if got, want := stored(t, on, nil, cookieOf(t, resp)), "1|||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

func TestHijackOfHTTP2IsUnsupportedAndTheHandlerCanStillAnswer(t *testing.T) {
	on, hijacked := newTap(), make(chan error, 1)
	m := newManager(t, on, nil)
	cookie := beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
	server := httptest.NewUnstartedServer(m.Handler(upgrade(func(s *holdfast.Session) { increment(s) }, hijacked, noTalk)))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	resp := fetch(t, server, http.MethodGet, "/", cookie)
	if err := <-hijacked; !errors.Is(err, http.ErrNotSupported) {
		t.Errorf("Hijack: %v, want ErrNotSupported", err)
	}
	if resp.StatusCode != http.StatusUpgradeRequired || resp.ProtoMajor != 2 {
		t.Errorf("%s status %d, want 426", resp.Proto, resp.StatusCode)
	}
	if got, want := stored(t, on, nil, cookie), "1|old||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

func TestHijackAfterAnErrorPageIsRefused(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	cookie := beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
	hijacked := make(chan error, 1)
	server := httptest.NewServer(m.Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		holdfast.NewKey[bool]("text").Get(s)
		io.WriteString(w, "a page made without the attribute")
		_, _, err := http.NewResponseController(w).Hijack()
		hijacked <- err
	})))
	defer server.Close()
	resp := fetch(t, server, http.MethodGet, "/", cookie)
	if err := <-hijacked; !errors.Is(err, holdfast.ErrUnreadable) {
		t.Errorf("Hijack: %v, want the error that was answered with", err)
	}
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", resp.StatusCode)
	}
}

// What a WebSocket changes is stored by Commit, and at the end.
func TestAHijackedConnectionKeepsItsChanges(t *testing.T) {
	on, hijacked := newTap(), make(chan error, 1)
	m := newManager(t, on, nil)
	cookie := beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
	talk := func(conn net.Conn, s *holdfast.Session) {
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			increment(s)
			fmt.Fprintln(conn, s.Commit(), lines.Text())
		}
		otherKey.Set(s, "bye")
	}
	handler, ended := m.Handler(upgrade(func(*holdfast.Session) {}, hijacked, talk)), make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	resp := fetch(t, server, http.MethodGet, "/", cookie)
	conn, answers := resp.Body.(io.ReadWriteCloser), bufio.NewReader(resp.Body)
	for n := range 3 {
		fmt.Fprintln(conn, n)
		if line, err := answers.ReadString('\n'); line != fmt.Sprintf("<nil> %d\n", n) {
			t.Fatalf("answer %q, %v", line, err)
		}
		if got, want := stored(t, on, nil, cookie), fmt.Sprintf("%d|old||", n+1); got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
	}
	conn.Close()
	<-ended
	if got, want := stored(t, on, nil, cookie), "3|old|bye|"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

// A pipeWriter gives its connection away, in fake time.
type pipeWriter struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (w pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.conn, nil, nil }

func TestAWebSocketKeepsItsSessionAliveByRefresh(t *testing.T) {
	for name, c := range map[string]struct {
		refresh bool
		want    string
	}{
		"Refresh":    {true, "0|old||"},
		"no Refresh": {false, "0|||"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				on, hijacked := newTap(), make(chan error, 1)
				opts := &holdfast.Options{IdleTimeout: time.Minute}
				m := newManager(t, on, opts)
				cookie := beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
				talk := func(_ net.Conn, s *holdfast.Session) {
					for range 30 {
						time.Sleep(20 * time.Second)
						if c.refresh && s.Refresh() != nil {
							t.Errorf("Refresh: %v", s.Err())
						}
					}
				}
				here, there := net.Pipe()
				go io.Copy(io.Discard, there)
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.Header.Set("Cookie", cookie)
				m.Handler(upgrade(func(s *holdfast.Session) { textKey.Get(s) }, hijacked, talk)).
					ServeHTTP(pipeWriter{httptest.NewRecorder(), here}, r)
				if got := stored(t, on, opts, cookie); got != c.want {
					t.Errorf("after ten minutes stored %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestRefreshShowsWhatIsStoredWithOnesOwnChangesOnTop(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	p := newPause()
	v := visit(m, func(w http.ResponseWriter, r *http.Request, s *holdfast.Session) {
		increment(s)
		otherKey.Set(s, "mine")
		p.here()
		if err := s.Refresh(); err != nil {
			t.Error(err)
		}
		show(w, r, s)
	})
	v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
	w := v.during(p, "/", func() {
		v.session(m, func(s *holdfast.Session) { textKey.Set(s, "new"); increment(s); otherKey.Set(s, "theirs") }).get("/")
	})
	wantBody(t, w, "2|new|mine|")
	if got, want := stored(t, on, nil, v.sends()), "2|new|mine|"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

func TestRefreshOfASessionThatEnded(t *testing.T) {
	m := newManager(t, newTap(), nil)
	p := newPause()
	v := visit(m, func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		textKey.Get(s)
		p.here()
		if err := s.Refresh(); !errors.Is(err, holdfast.ErrNoSession) {
			t.Errorf("Refresh: %v, want ErrNoSession", err)
		}
	})
	v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
	// The handler was given the error, so the answer is its own.
	wantStatus(t, v.during(p, "/", func() { v.session(m, func(s *holdfast.Session) { s.Destroy() }).get("/") }), http.StatusOK)
}

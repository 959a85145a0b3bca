package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// Handlers that other session libraries get wrong: they change the session at
// unusual moments of a response, with sessions on a real memcached.

var word = holdfast.NewKey[string]("word")

func setWord(w http.ResponseWriter, r *http.Request) {
	if err := word.Set(holdfast.From(r.Context()), r.FormValue("word")); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func getWord(w http.ResponseWriter, r *http.Request) {
	s, _ := word.Get(holdfast.From(r.Context()))
	fmt.Fprint(w, s)
}

// wordSite has one page more than the two that set and show the word.
func wordSite(t *testing.T, page http.HandlerFunc) *site {
	t.Helper()
	return startSite(t, servers.StartMemcached(t).Addr, map[string]http.HandlerFunc{
		"POST /word": setWord, "GET /word": getWord, "/page": page,
	})
}

func (s *site) wantWord(t *testing.T, b *browser, want string) {
	t.Helper()
	if got := b.get(s.URL + "/word"); got.status != http.StatusOK || got.body != want {
		t.Errorf("the session holds %q (status %d, %v), want %q", got.body, got.status, got.err, want)
	}
}

func TestChangeAfterTheFirstByteIsStored(t *testing.T) {
	s := wordSite(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "early")
		if err := word.Set(holdfast.From(r.Context()), "late"); err != nil {
			t.Errorf("Set after the first byte: %v", err)
		}
	})
	user := newBrowser()
	user.post(s.URL+"/word", "word", "first").want(t, http.StatusOK)
	user.get(s.URL+"/page").want(t, http.StatusOK)
	s.wantWord(t, user, "late")
}

// TestNewSessionAfterTheFirstByteIsAnError: its cookie can no longer be set.
func TestNewSessionAfterTheFirstByteIsAnError(t *testing.T) {
	var late error
	s := wordSite(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "early")
		http.NewResponseController(w).Flush()
		session := holdfast.From(r.Context())
		late = errors.Join(word.Set(session, "late"), session.Commit())
	})
	newBrowser().get(s.URL+"/page").want(t, http.StatusOK)
	if !errors.Is(late, holdfast.ErrTooLate) {
		t.Errorf("got %v, want ErrTooLate", late)
	}
}

func TestFlushSetsTheCookieOfANewSession(t *testing.T) {
	s := wordSite(t, func(w http.ResponseWriter, r *http.Request) {
		if err := word.Set(holdfast.From(r.Context()), "event"); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("Flush: %v", err)
		}
		fmt.Fprint(w, "data: 1\n\n")
	})
	user := newBrowser()
	if got := user.get(s.URL + "/page"); got.cookie == nil {
		t.Errorf("a new visitor got no cookie with the flushed header: %v", got.header)
	}
	s.wantWord(t, user, "event")
}

func TestEarlyHintsLeaveTheSessionOpen(t *testing.T) {
	s := wordSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		if err := word.Set(holdfast.From(r.Context()), "hinted"); err != nil {
			t.Errorf("Set after 103: %v", err)
		}
		fmt.Fprint(w, "page")
	})
	hints := 0
	trace := &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { hints++; return nil }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, s.URL+"/page", nil)
	if err != nil {
		t.Fatal(err)
	}
	user := newBrowser()
	if got := user.send(req).want(t, http.StatusOK); got.cookie == nil || hints != 1 {
		t.Errorf("cookie %v and %d early hints, want a cookie and one", got.cookie, hints)
	}
	s.wantWord(t, user, "hinted")
}

func TestWriterKeepsItsPowers(t *testing.T) {
	s := wordSite(t, func(w http.ResponseWriter, r *http.Request) {
		_, readerFrom := w.(io.ReaderFrom) // sendfile
		_, flusher := w.(http.Flusher)
		if !readerFrom || !flusher {
			t.Errorf("ReaderFrom %v, Flusher %v, want both", readerFrom, flusher)
		}
		c := http.NewResponseController(w)
		if err := errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}), c.EnableFullDuplex()); err != nil {
			t.Errorf("ResponseController: %v", err)
		}
		conn, buf, err := c.Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer conn.Close()
		fmt.Fprint(buf, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
		buf.Flush()
	})
	if got := newBrowser().get(s.URL+"/page").want(t, http.StatusOK); got.body != "ok" {
		t.Errorf("got %q over the hijacked connection", got.body)
	}
}

// TestChangeSurvivesTheClient lets the client leave before the commit.
func TestChangeSurvivesTheClient(t *testing.T) {
	entered, left := make(chan struct{}), make(chan struct{})
	s := wordSite(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(left)
		if err := word.Set(holdfast.From(r.Context()), "kept"); err != nil {
			t.Error(err)
		}
		close(entered)
		<-r.Context().Done()
	})
	user := newBrowser()
	user.post(s.URL+"/word", "word", "first").want(t, http.StatusOK)
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/page", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", user.jar())
	go func() { <-entered; leave() }()
	if got := user.send(req); !errors.Is(got.err, context.Canceled) {
		t.Errorf("the client got %d, %v, want it gone", got.status, got.err)
	}
	<-left
	deadline := time.Now().Add(10 * time.Second)
	for user.get(s.URL+"/word").body != "kept" && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond) // the commit comes after the handler
	}
	s.wantWord(t, user, "kept")
}

// TestRevokedSessionIsGone ends a user's session from outside of a request, by
// the id that the application kept.
func TestRevokedSessionIsGone(t *testing.T) {
	var id holdfast.ID
	s := wordSite(t, func(_ http.ResponseWriter, r *http.Request) {
		id = holdfast.From(r.Context()).ID()
	})
	user := newBrowser()
	user.post(s.URL+"/word", "word", "first").want(t, http.StatusOK)
	user.get(s.URL+"/page").want(t, http.StatusOK)
	s.wantWord(t, user, "first")
	if err := s.sessions.With(t.Context(), id, (*holdfast.Session).Destroy); err != nil {
		t.Fatal(err)
	}
	s.wantWord(t, user, "")
}

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// listen gets /events for as long as the returned function is not called, which
// returns the answer.
func (b *browser) listen(t *testing.T) (leave func() answer) {
	ctx, cancel := context.WithCancel(t.Context())
	var got answer
	var listening sync.WaitGroup
	listening.Go(func() { got = b.do(httptest.NewRequest("GET", "/events", nil).WithContext(ctx)) })
	return func() answer {
		cancel()
		listening.Wait()
		return got
	}
}

// wantEvents checks for exactly these events, each by its name and a part of it.
func (a answer) wantEvents(t *testing.T, want ...[2]string) {
	t.Helper()
	got := regexp.MustCompile(`event: (.+)\ndata: (.+)\n\n`).FindAllStringSubmatch(a.body, -1)
	if len(got) != len(want) || a.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %s %q, want %d events", a.Status, a.body, len(want))
	}
	for i := range want {
		if got[i][1] != want[i][0] || !strings.Contains(got[i][2], want[i][1]) {
			t.Errorf("event %d: got %s, want %s", i, got[i][0], want[i])
		}
	}
}

func TestEventsShowChangesOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBrowser(t, newSite(t))
		b.send("POST", "/counter/n")
		leave := b.clone().listen(t)
		time.Sleep(500 * time.Millisecond)
		b.send("POST", "/counter/n")
		time.Sleep(2 * time.Second)
		leave().wantEvents(t, [2]string{"session", `"n":1`}, [2]string{"session", `"n":2`}, [2]string{"session", `"n":2`})
	})
}

func TestEventsEndWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBrowser(t, newSite(t))
		b.send("POST", "/counter/n")
		leave := b.clone().listen(t)
		time.Sleep(500 * time.Millisecond)
		b.send("POST", "/logout")
		time.Sleep(10 * time.Second)
		leave().wantEvents(t, [2]string{"session", `"n":1`}, [2]string{"error", "session"})
	})
}

func TestEventsGoOnAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := newBrowser(t, s)
		b.send("POST", "/counter/n")
		leave := b.clone().listen(t)
		time.Sleep(500 * time.Millisecond)
		s.node.down.Store(true)
		time.Sleep(time.Second)
		s.node.down.Store(false)
		time.Sleep(time.Second)
		leave().wantEvents(t, [2]string{"session", `"n":1`}, [2]string{"error", "unavailable"}, [2]string{"session", `"n":1`})
	})
}

func TestEventsEndWhenTheServerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := newBrowser(t, s)
		b.send("POST", "/counter/n")
		leave := b.listen(t)
		time.Sleep(1500 * time.Millisecond)
		s.stop()
		time.Sleep(10 * time.Second)
		leave().wantEvents(t, [2]string{"session", `"n":1`}, [2]string{"session", `"n":1`})
	})
}

func TestEventsWithoutASession(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	b.send("GET", "/events").wantError(t, http.StatusNotFound, "no session")
	b.send("POST", "/counter/n")
	s.node.down.Store(true)
	b.send("GET", "/events").wantError(t, http.StatusServiceUnavailable, "unavailable")
}

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

func TestStreamShowsOtherRequestsChangesAndEndsWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := holdfasttest.New(t, nil)
		h := m.Handler(routes(t.Context()))
		browser := holdfasttest.NewClient(m, h)
		browser.Post("/click", nil)
		go func() {
			time.Sleep(1500 * time.Millisecond)
			browser.Post("/click", nil)
			time.Sleep(time.Second)
			browser.Post("/logout", nil)
		}()
		got := browser.Get("/events").Body.String()
		if want := "data: 1\n\ndata: 1\n\ndata: 2\n\n"; got != want {
			t.Errorf("the stream is %q, want %q", got, want)
		}
	})
}

func TestStreamKeepsTheSessionAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := holdfasttest.New(t, &holdfast.Options{IdleTimeout: time.Minute})
		browser := holdfasttest.NewClient(m, m.Handler(routes(t.Context())))
		browser.Post("/click", nil)
		r := httptest.NewRequest("GET", "/events", nil)
		ctx, leave := context.WithTimeout(t.Context(), time.Hour)
		defer leave()
		browser.Do(r.WithContext(ctx))
		browser.Session(func(s *holdfast.Session) {
			if got, _ := clicks.Get(s); got != 1 {
				t.Errorf("after an hour of streaming: %d clicks, want 1", got)
			}
		})
	})
}

func TestStreamEndsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := holdfasttest.New(t, nil)
		stopping, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		browser := holdfasttest.NewClient(m, m.Handler(routes(stopping)))
		browser.Post("/click", nil)
		began := time.Now()
		browser.Get("/events")
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("the stream ended after %v, want 5s", took)
		}
	})
}

func TestPageBeginsASessionForItsStream(t *testing.T) {
	m := holdfasttest.New(t, nil)
	browser := holdfasttest.NewClient(m, m.Handler(routes(t.Context())))
	if got := browser.Get("/events").Code; got != http.StatusNoContent {
		t.Errorf("a stream without a session: status %d, want 204", got)
	}
	if got := browser.Get("/").Body.String(); !strings.Contains(got, "EventSource") {
		t.Errorf("the page is %q", got)
	}
	browser.Session(func(s *holdfast.Session) {
		if _, ok := clicks.Get(s); !ok {
			t.Error("the page has begun no session")
		}
	})
}

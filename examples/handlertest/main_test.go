package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

// One request with a prepared session.
func TestCartIsShown(t *testing.T) {
	m := holdfasttest.New(t, nil)
	r := holdfasttest.With(httptest.NewRequest("GET", "/cart", nil), m, func(s *holdfast.Session) { cart.Set(s, []string{"tea"}) })
	w := httptest.NewRecorder()
	shop(m).ServeHTTP(w, r)
	if got, want := w.Body.String(), "your cart: tea\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Several requests of one visitor, and a look at the session afterwards.
func TestCheckOutEmptiesTheCart(t *testing.T) {
	m := holdfasttest.New(t, nil)
	bob := holdfasttest.NewClient(m, shop(m))
	bob.Session(func(s *holdfast.Session) { s.Login("bob") })
	bob.Post("/cart", url.Values{"item": {"tea"}})
	if got, want := bob.Post("/checkout", nil).Body.String(), "thank you, bob: tea\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	bob.Session(func(s *holdfast.Session) {
		if items, ok := cart.Get(s); ok {
			t.Errorf("the cart still has %q", items)
		}
	})
}

func TestStrangersCannotCheckOut(t *testing.T) {
	m := holdfasttest.New(t, nil)
	stranger := holdfasttest.NewClient(m, shop(m))
	if got, want := stranger.Post("/checkout", nil).Code, http.StatusUnauthorized; got != want {
		t.Errorf("status %d, want %d", got, want)
	}
}

// Fake time: an hour passes at once.
func TestCartIsForgottenAfterAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := holdfasttest.New(t, nil)
		visitor := holdfasttest.NewClient(m, shop(m))
		visitor.Post("/cart", url.Values{"item": {"tea"}})
		time.Sleep(time.Hour)
		if got, want := visitor.Get("/cart").Body.String(), "your cart: \n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

package main

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/gorilla/sessions"
)

// gorillaVisits keeps sessions in cookies that are signed and not encrypted, as most
// programs have it.
type gorillaVisits struct{ store *sessions.CookieStore }

func openGorilla([]string) (*site, error) {
	// The same key in each life of the server: sessions outlive it.
	store := sessions.NewCookieStore(bytes.Repeat([]byte("k"), 32))
	store.Options.Secure = false
	store.Options.SameSite = http.SameSiteLaxMode
	store.Options.HttpOnly = true
	return &site{visits: gorillaVisits{store}}, nil
}

func (g gorillaVisits) begin(w http.ResponseWriter, r *http.Request, v visit) error {
	s, err := g.store.Get(r, "session")
	if err != nil {
		return err
	}
	s.Values["user"], s.Values["count"], s.Values["text"] = v.user, v.count, v.text
	return s.Save(r, w)
}

func (g gorillaVisits) load(r *http.Request) (visit, error) {
	s, err := g.store.Get(r, "session")
	if err != nil {
		return visit{}, err
	}
	return visitOf(s)
}

func (g gorillaVisits) add(w http.ResponseWriter, r *http.Request) (visit, error) {
	s, err := g.store.Get(r, "session")
	if err != nil {
		return visit{}, err
	}
	v, err := visitOf(s)
	if err != nil {
		return visit{}, err
	}
	v.count++
	s.Values["count"] = v.count
	return v, s.Save(r, w)
}

func (g gorillaVisits) end(w http.ResponseWriter, r *http.Request) error {
	s, err := g.store.Get(r, "session")
	if err != nil {
		return err
	}
	s.Options.MaxAge = -1
	return s.Save(r, w)
}

func visitOf(s *sessions.Session) (visit, error) {
	user, hasUser := s.Values["user"].(string)
	count, hasCount := s.Values["count"].(int)
	text, hasText := s.Values["text"].(string)
	if !hasUser || !hasCount || !hasText {
		return visit{}, errors.New("no session")
	}
	return visit{user: user, count: count, text: text}, nil
}

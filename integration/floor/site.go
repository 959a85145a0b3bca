package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/integration/measure"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// An operation is what a request does with its session.
type operation struct {
	name   string
	copies int
	change bool // else it reads
}

func operations() []operation {
	return []operation{
		{"one copy: read", 1, false},
		{"one copy: change", 1, true},
		{"two copies: read", 2, false},
		{"two copies: change", 2, true},
	}
}

// path of the page that does o.
func (o operation) path() string {
	if o.change {
		return fmt.Sprintf("/%d/change", o.copies)
	}
	return fmt.Sprintf("/%d/read", o.copies)
}

const barePath = "/bare"

// A site is the handlers: without sessions, and with Holdfast's, non-sticky.
type site struct {
	http.ServeMux
	managers map[int]*holdfast.Manager // by number of copies
	cookies  map[int][][]string        // of the sessions of each client
	written  map[int][]string          // of sessions that are only written by hand
}

var (
	userKey  = holdfast.NewKey[string]("user")
	countKey = holdfast.NewKey[int]("count")
	textKey  = holdfast.NewKey[string]("text")
)

// patience is how long a node is waited for: a machine that is busy with other things is
// not to be taken for an outage.
const patience = 2 * time.Second

// openSite makes so many sessions for each client.
func openSite(nodes []string, clients, sessions int) (*site, error) {
	s := &site{managers: map[int]*holdfast.Manager{}, cookies: map[int][][]string{}, written: map[int][]string{}}
	s.HandleFunc("GET "+barePath, page(func(*http.Request) {}))
	for _, copies := range []int{1, 2} {
		if err := s.add(nodes[:copies], clients, sessions); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *site) add(nodes []string, clients, sessions int) error {
	var spec []string
	for i, addr := range nodes {
		spec = append(spec, fmt.Sprintf("n%d:%s", i+1, addr))
	}
	list, err := memcachedstore.Nodes(strings.Join(spec, " "), nil)
	if err != nil {
		return err
	}
	copies := len(nodes)
	m, err := holdfast.New(list, &holdfast.Options{Copies: copies, OperationTimeout: patience, Cookie: holdfast.Cookie{AllowInsecure: true}})
	if err != nil {
		return err
	}
	s.managers[copies] = m
	s.Handle("GET "+operation{copies: copies}.path(), m.Handler(page(read)))
	s.Handle("GET "+operation{copies: copies, change: true}.path(), m.Handler(page(change)))
	if s.cookies[copies], err = begin(m, clients, sessions); err != nil {
		return err
	}
	others, err := begin(m, clients, sessions)
	s.written[copies] = slices.Concat(others...)
	return err
}

func page(do func(r *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		do(r)
		_, _ = io.WriteString(w, "page")
	}
}

func read(r *http.Request) { countKey.Get(holdfast.From(r.Context())) }

// change leaves an error to the middleware, whose answer tells it.
func change(r *http.Request) {
	_ = countKey.Update(holdfast.From(r.Context()), func(n *int) error { *n++; return nil })
}

// begin makes sessions for each client, and changes each as often as a record remembers:
// from then on it has one size, 520 bytes or so.
func begin(m *holdfast.Manager, clients, sessions int) ([][]string, error) {
	start := m.Handler(page(func(r *http.Request) {
		s := holdfast.From(r.Context())
		_ = userKey.Set(s, "u0000001")
		_ = countKey.Set(s, 1000)
		_ = textKey.Set(s, strings.Repeat("t", 310))
	}))
	more := m.Handler(page(change))
	all := make([][]string, clients)
	for i := range all {
		for range sessions {
			cookie, err := measure.Visit(start, "/", "")
			for n := 0; n < record.MaxCommits && err == nil; n++ {
				_, err = measure.Visit(more, "/", cookie)
			}
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], cookie)
		}
	}
	return all, nil
}

func (s *site) close() {
	for _, m := range s.managers {
		_ = m.Shutdown(context.Background()) // nothing is unsent
	}
}

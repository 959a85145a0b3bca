package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/integration/measure"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// paths of the pages that are measured.
var paths = []string{"/read", "/change"}

// A site is the handlers of a point with their nodes and sessions.
type site struct {
	http.ServeMux
	config  config
	nodes   []*measure.Process
	addrs   []string
	manager *holdfast.Manager
	cookies [][]string // of each client
}

// patience is how long a node is waited for: a machine that is busy with other things is
// not to be taken for an outage. lifetime is so long that no life is extended meanwhile:
// of many sessions nearly each would need it when its request comes, of few nearly none.
const (
	patience = 5 * time.Second
	lifetime = 7 * 24 * time.Hour
)

var (
	countKey = holdfast.NewKey[int]("count")
	textKey  = holdfast.NewKey[string]("text")
)

func openSite(ctx context.Context, c config) (*site, error) {
	s := &site{config: c}
	err := s.open(ctx)
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *site) open(ctx context.Context) error {
	var spec []string
	for i := range s.config.Nodes {
		node, addr, err := measure.StartMemcached(ctx)
		if err != nil {
			return err
		}
		s.nodes, s.addrs = append(s.nodes, node), append(s.addrs, addr)
		spec = append(spec, fmt.Sprintf("n%d:%s", i+1, addr))
	}
	list, err := memcachedstore.Nodes(strings.Join(spec, " "), nil)
	if err != nil {
		return err
	}
	s.manager, err = holdfast.New(list, &holdfast.Options{
		Copies: s.config.Copies, Sticky: s.config.Sticky, Route: "app1", IdleTimeout: lifetime,
		OperationTimeout: patience, Cookie: holdfast.Cookie{AllowInsecure: true},
	})
	if err != nil {
		return err
	}
	s.page("/new", s.fill)
	s.page("/read", func(s *holdfast.Session) { countKey.Get(s) })
	s.page("/change", func(s *holdfast.Session) {
		_ = countKey.Update(s, func(n *int) error { *n++; return nil }) // the middleware's answer tells an error
	})
	return s.populate()
}

func (s *site) page(path string, do func(*holdfast.Session)) {
	s.Handle("GET "+path, s.manager.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		do(holdfast.From(r.Context()))
		_, _ = io.WriteString(w, "page")
	})))
}

// fill makes as many attributes as are wanted; the text has the size.
func (s *site) fill(session *holdfast.Session) {
	_ = countKey.Set(session, 1000)
	if s.config.Attributes > 1 {
		_ = textKey.Set(session, strings.Repeat("t", s.config.Size))
	}
	for i := 2; i < s.config.Attributes; i++ {
		_ = holdfast.NewKey[string](fmt.Sprintf("attribute%d", i)).Set(session, "sixteen bytes ok")
	}
}

// populate makes the sessions, all clients theirs at once.
func (s *site) populate() error {
	s.cookies = make([][]string, s.config.Clients)
	errs := make([]error, s.config.Clients)
	var wg sync.WaitGroup
	for i := range s.cookies {
		wg.Go(func() {
			for range s.config.Sessions / s.config.Clients {
				cookie, err := measure.Visit(s, "/new", "")
				if err != nil {
					errs[i] = err
					return
				}
				s.cookies[i] = append(s.cookies[i], cookie)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// measure has each client ask for a page with any of its sessions.
func (s *site) measure(o order) (measure.Sample, error) {
	clients := make([]func(int) error, len(s.cookies))
	for i, cookies := range s.cookies {
		call := measure.Caller(s, o.Path, cookies)
		clients[i] = func(int) error { return call(rand.IntN(len(cookies))) }
	}
	if _, err := measure.InTurns(clients, o.For/5); err != nil { // the processor's caches become this point's
		return measure.Sample{}, err
	}
	return measure.Take(s.addrs, func() (measure.Tally, error) { return measure.InTurns(clients, o.For) })
}

func (s *site) close() {
	if s.manager != nil {
		_ = s.manager.Shutdown(context.Background()) // what is unsent is not needed
	}
	for _, node := range s.nodes {
		node.Kill()
	}
}

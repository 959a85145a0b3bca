package schedules

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// An appServer is one life of an app server's process.
type appServer struct {
	name    string
	net     *network
	m       *holdfast.Manager
	handler http.Handler

	died     atomic.Bool
	life     context.Context // ends with it
	die      context.CancelFunc
	requests sync.WaitGroup
}

// newAppServer starts a process that knows these nodes.
func newAppServer(n *network, name string, nodes []string, o holdfast.Options) (*appServer, error) {
	s := &appServer{name: name, net: n}
	s.life, s.die = context.WithCancel(context.Background())
	list, err := s.list(nodes)
	if err != nil {
		return nil, err
	}
	if s.m, err = holdfast.New(list, &o); err != nil {
		return nil, err
	}
	s.handler = s.m.Handler(program())
	return s, nil
}

// list makes the nodes of one Manager.
func (s *appServer) list(nodes []string) (list []store.Node, err error) {
	for _, name := range nodes {
		client, err := memcachedstore.New("memory:11211", &memcachedstore.Options{
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				e, err := s.net.dial(ctx, s, route{s.name, name})
				if err != nil {
					return nil, err
				}
				return e, nil
			},
		})
		if err != nil {
			return nil, err
		}
		list = append(list, store.Node{Name: name, Store: client})
	}
	return list, nil
}

// gone reports whether the process has ended.
func (s *appServer) gone() bool { return s.died.Load() }

// crash ends the process as kill -9 does: nobody is answered, nothing more is sent.
// What was sent before still arrives.
func (s *appServer) crash() {
	if s.died.Swap(true) {
		return
	}
	s.die()
	s.net.mu.Lock()
	var mine []*wire
	for _, w := range s.net.wires {
		if w.of == s {
			mine = append(mine, w)
		}
	}
	s.net.mu.Unlock()
	for _, w := range mine {
		_ = w.atServer.Close() // an end in memory
	}
	s.requests.Go(s.bury)
}

// bury ends what goes on in this process only because it is none.
func (s *appServer) bury() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.m.Shutdown(over) // it has nobody to tell anything
}

// stop ends the process as an operator does.
func (s *appServer) stop(ctx context.Context) error {
	err := s.m.Shutdown(ctx)
	s.died.Store(true)
	s.die()
	return err
}

// answer serves r. nil: the process has died under it.
func (s *appServer) answer(r *http.Request) *httptest.ResponseRecorder {
	if s.gone() {
		return nil
	}
	w := httptest.NewRecorder()
	done := make(chan struct{})
	s.requests.Go(func() {
		defer close(done)
		s.handler.ServeHTTP(w, r)
	})
	select {
	case <-done:
	case <-s.life.Done():
	}
	if s.life.Err() != nil {
		return nil
	}
	return w
}

package holdfasttest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// ServedBy is the response header that names the app server of a [Site] that
// answered.
const ServedBy = "X-Served-By"

// A server is one life of an app server. A nil one is dead.
type server struct {
	name     string
	m        *holdfast.Manager
	handler  http.Handler
	clients  []*faultstore.Client
	life     context.Context // ends when the server is killed
	die      context.CancelFunc
	requests sync.WaitGroup // under way
}

func newServer(name string, m *holdfast.Manager, program http.Handler, clients []*faultstore.Client) *server {
	s := &server{name: name, m: m, handler: m.Handler(program), clients: clients}
	s.life, s.die = context.WithCancel(context.Background())
	return s
}

func (s *server) manager() *holdfast.Manager {
	if s == nil {
		panic("holdfasttest: the app server is dead: revive it first")
	}
	return s.m
}

// answer serves r. When the server dies meanwhile it does not wait for the
// handler, which then has nobody to answer and no node to ask.
func (s *server) answer(r *http.Request) *httptest.ResponseRecorder {
	if s == nil {
		return badGateway("no app server lives here")
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	w := httptest.NewRecorder()
	w.Header().Set(ServedBy, s.name)
	var caught any
	done := make(chan struct{})
	s.requests.Go(func() {
		defer close(done)
		caught = serve(s.handler, w, r.WithContext(ctx))
	})
	select {
	case <-done:
	case <-s.life.Done():
	}
	if s.life.Err() != nil {
		return badGateway(s.name + " died under the request")
	}
	if caught != nil {
		panic(caught) // where the test can see it, as with any other handler
	}
	return w
}

// serve returns what h panicked with.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (caught any) {
	defer func() { caught = recover() }()
	h.ServeHTTP(w, r)
	return nil
}

func badGateway(cause string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	http.Error(w, "holdfasttest: "+cause, http.StatusBadGateway)
	return w
}

// kill ends the server as kill -9 does: nothing is stored, nobody is answered.
// The requests end first, so that none can answer that it found no node.
func (s *server) kill() {
	s.die()
	for _, c := range s.clients {
		_ = c.Close() // it has no way to fail
	}
}

func (s *server) finish(t testing.TB) {
	t.Helper()
	if s.life.Err() == nil {
		shutDown(t, s.m)
	} else {
		_ = abandon(s.m) // its requests may have been cut anywhere
	}
	s.die()
	s.requests.Wait()
}

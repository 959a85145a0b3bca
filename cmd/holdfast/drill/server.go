package drill

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// A server is one app server, with an address that it has in every life.
type server struct {
	site          *site
	name, address string
	lives         []*life // the last one may be over
	dead          bool
}

// A life of a server is what a process would be.
type life struct {
	sessions *holdfast.Manager
	nodes    []store.Node
	http     *http.Server
	serving  sync.WaitGroup
}

// patience is above the default: a machine that runs the whole site and its
// clients at once is slow.
const patience = time.Second

func newServer(site *site, name string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &server{site: site, name: name, address: address}
	return s, s.start()
}

func (s *server) start() error {
	nodes, err := memcachedstore.Nodes(s.site.list(), nil)
	if err != nil {
		return err
	}
	m, err := holdfast.New(nodes, s.site.mode.options(s.name, s.site.copies))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	quiet := log.New(io.Discard, "", 0)
	this := &life{sessions: m, nodes: nodes, http: &http.Server{Handler: handler(m), ErrorLog: quiet, ReadHeaderTimeout: time.Second}}
	this.serving.Go(func() { _ = this.http.Serve(l) }) // ends with kill
	s.lives, s.dead = append(s.lives, this), false
	return nil
}

// kill ends all that the server has in common with others, its connections, at
// once. The manager learns nothing of it; its work stops where it is.
func (s *server) kill() {
	this := s.lives[len(s.lives)-1]
	_ = this.http.Close()
	for _, n := range this.nodes {
		if c, ok := n.Store.(io.Closer); ok {
			_ = c.Close()
		}
	}
	this.serving.Wait()
	s.dead = true
}

// sessions is the manager of the life that is under way.
func (s *server) sessions() *holdfast.Manager { return s.lives[len(s.lives)-1].sessions }

// close clears away what former lives have left in this process. What they did not
// send they wait for in vain.
func (s *server) close() {
	if !s.dead {
		s.kill()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	for _, l := range s.lives {
		_ = l.sessions.Shutdown(ctx)
	}
}

package rig

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

// A Setup is what an app server is made of.
type Setup struct {
	Nodes   string // as memcachedstore.Nodes takes them
	Options *holdfast.Options
	Handler func(*holdfast.Manager) http.Handler
}

// A Server is one app server, with an address that it has in every life. Its
// methods are called one at a time.
type Server struct {
	Name, Address string
	setup         func() Setup
	lives         []*life // the last one may be over
	dead          bool
}

// A life of a server is what a process would be.
type life struct {
	sessions *holdfast.Manager
	nodes    []store.Node
	http     *http.Server
	gate     *gate
	serving  sync.WaitGroup
}

// NewServer starts a server. setup is called for each of its lives.
func NewServer(name string, setup func() Setup) (*Server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &Server{Name: name, Address: address, setup: setup}
	return s, s.Start()
}

// Start begins another life.
func (s *Server) Start() error {
	setup := s.setup()
	nodes, err := memcachedstore.Nodes(setup.Nodes, nil)
	if err != nil {
		return err
	}
	m, err := holdfast.New(nodes, setup.Options)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", s.Address)
	if err != nil {
		return err
	}
	quiet := log.New(io.Discard, "", 0)
	srv := &http.Server{Handler: setup.Handler(m), ErrorLog: quiet, ReadHeaderTimeout: 10 * time.Second}
	this := &life{sessions: m, nodes: nodes, http: srv, gate: newGate()}
	this.serving.Go(func() { _ = srv.Serve(&gatedListener{l, this.gate}) }) // ends with Kill or Stop
	s.lives, s.dead = append(s.lives, this), false
	return nil
}

func (s *Server) life() *life { return s.lives[len(s.lives)-1] }

// Kill ends all that the server has in common with others, its connections, at
// once. The manager learns nothing of it; its work stops where it is.
func (s *Server) Kill() {
	this := s.life()
	_ = this.http.Close()
	for _, n := range this.nodes {
		if c, ok := n.Store.(io.Closer); ok {
			_ = c.Close()
		}
	}
	this.serving.Wait()
	s.dead = true
}

// Freeze has the server take no requests and send no answers, or go on with all
// that it got meanwhile.
func (s *Server) Freeze(frozen bool) { s.life().gate.set(!frozen) }

// Stop ends the server as an operator does: for half of wait it finishes what it has
// begun, and in the rest it sends what only it has.
func (s *Server) Stop(wait time.Duration) error {
	this := s.life()
	if err := within(wait/2, this.http.Shutdown); err != nil {
		_ = this.http.Close()
	}
	this.serving.Wait()
	s.dead = true
	return within(wait/2, this.sessions.Shutdown)
}

func within(wait time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	return do(ctx)
}

// Sessions is the manager of the life that is under way, or was last.
func (s *Server) Sessions() *holdfast.Manager { return s.life().sessions }

// Lives are the managers of all lives that were not buried, the last one at the end.
func (s *Server) Lives() (all []*holdfast.Manager) {
	for _, l := range s.lives {
		all = append(all, l.sessions)
	}
	return all
}

// Bury clears away what former lives have left in this process. What they did not
// send is lost, as it is to everybody else.
func (s *Server) Bury(ctx context.Context) {
	last := len(s.lives) - 1
	for _, l := range s.lives[:last] {
		_ = l.sessions.Shutdown(ctx)
	}
	s.lives = s.lives[last:]
}

// Close ends the server, and waits until ctx ends for what its lives have left.
func (s *Server) Close(ctx context.Context) {
	if len(s.lives) == 0 {
		return
	}
	if !s.dead {
		s.Kill()
	}
	for _, l := range s.lives {
		_ = l.sessions.Shutdown(ctx)
	}
}

package rig

import (
	"net"
	"sync"

	"github.com/holdfast-sessions/holdfast/node"
)

// embedded is a cache node inside this process.
type embedded struct {
	address string
	server  *node.Server
	gate    *gate
	serving sync.WaitGroup
}

func (e *embedded) start() error {
	l, err := net.Listen("tcp", e.address)
	if err != nil {
		return err
	}
	e.server, e.gate = node.New(nil), newGate()
	server, gated := e.server, &gatedListener{l, e.gate}
	e.serving.Go(func() { _ = server.Serve(gated) }) // ends with kill
	return nil
}

func (e *embedded) kill() error {
	if e.server == nil {
		return nil
	}
	err := e.server.Close()
	e.serving.Wait()
	return err
}

func (e *embedded) freeze(frozen bool) error {
	e.gate.set(!frozen)
	return nil
}

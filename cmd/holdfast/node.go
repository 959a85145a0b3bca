package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/holdfast-sessions/holdfast/node"
)

// nodeCommand is "holdfast node".
type nodeCommand struct {
	Config  string  `placeholder:"FILE" help:"Read settings from this TOML file."`
	Listen  address `default:"127.0.0.1:11211" placeholder:"ADDRESS" help:"Where to listen, host:port (${default})."`
	MaxItem size    `default:"1m" placeholder:"BYTES" help:"Refuse larger items (${default})."`
	Memory  size    `default:"64m" placeholder:"BYTES" help:"Above this, drop the items not used for longest (${default})."`
}

// Help is kong's detailed help.
func (nodeCommand) Help() string {
	return `For trying and testing. It speaks the commands of memcached that Holdfast uses and keeps
sessions in the memory of this one process: when it ends they are gone. Run real memcached
servers for sessions that matter.`
}

// Run serves until the process is asked to stop.
func (c *nodeCommand) Run(p *process) error {
	l, err := net.Listen("tcp", string(c.Listen))
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	p.say("Cache node for trying and testing, on %s. Its sessions end with this process.", l.Addr())
	return serveNode(p.ctx, node.New(c.options()), l)
}

func (c *nodeCommand) options() *node.Options {
	return &node.Options{MaxItem: int(c.MaxItem), MaxMemory: int(c.Memory)}
}

// serveNode serves n on l until ctx ends.
func serveNode(ctx context.Context, n *node.Server, l net.Listener) error {
	done := make(chan error, 1)
	go func() { done <- n.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("cache node on %s stopped: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	return errors.Join(n.Close(), <-done)
}

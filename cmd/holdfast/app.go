package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/node"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// appCommand is "holdfast app".
type appCommand struct {
	Config       string  `placeholder:"FILE" help:"Read settings from this TOML file."`
	Listen       address `default:"127.0.0.1:8081" placeholder:"ADDRESS" help:"Where to listen, host:port (${default})."`
	Nodes        string  `placeholder:"LIST" help:"The cache nodes, such as \"n1:127.0.0.1:11211\". Without it, one inside this process."`
	NodeUser     string  `placeholder:"NAME" help:"User of the cache nodes that ask for a password (memcached -Y)."`
	NodePassword secret  `placeholder:"TEXT" help:"Its password; better in the environment or the file, where other users do not see it."`

	ContextXML string `name:"context-xml" placeholder:"FILE" help:"Read settings from Tomcat's context.xml or server.xml, with memcached-session-manager or Tomcat's own managers. All others win over it."`
	Context    string `placeholder:"PATH" help:"The application of --context-xml, such as /shop, if several have a Manager."`
	Check      bool   `help:"Print what was understood of the environment and the files, and end."`

	sessionSettings

	carried carried
}

// Help is kong's detailed help.
func (appCommand) Help() string {
	return `GET / is a page on which a person sees and changes a session. The JSON API:

	GET    /none            does not touch the session
	GET    /session         the session, or 404
	POST   /session         sets each field of the form as an attribute
	DELETE /session/NAME    removes an attribute
	POST   /counter/NAME    adds one and answers {"value":n}
	GET    /counter/NAME    reads it
	POST   /slow?ms=500&at=read    loads, waits, sets the fields (at=write: sets, then waits);
	                        at most 60000 ms, and also to the end for a client that has left
	POST   /login?user=U    new id, owner U
	POST   /renew           new id
	POST   /logout          destroys the session
	GET    /explain         why this browser's cookie finds no session, as far as this server knows
	GET    /events          the session every second, as server-sent events
	GET    /livez, /readyz  health; /readyz is 503 once the server has been told to stop
	GET    /stats           counters of the session manager, and the states of its cache nodes

Errors are {"error":"…"}: 400 for a bad form, 409 for a session that changed or ended
meanwhile, 413 for one too large, 503 with Retry-After when no node can answer.

Nodes are name:host:port, separated by commas, spaces or both; a single one may leave out
the name. Every session lies on --copies of them, so that none is lost when a node dies. All
app servers get the same list, in the same order.

With --context-xml it takes the settings of memcached-session-manager, or of Tomcat's own managers,
from a context.xml or server.xml as it is; --check tells how they were understood.

The session cookie is Secure: browsers send it over https. Over plain http, Chromium and
Firefox send it to localhost and 127.0.0.1 only, and curl to no host: give --insecure-cookie
to try the API with curl. Behind a balancer that speaks https, leave it off.

The first SIGTERM or SIGINT makes the server finish what it has begun and leave, the second
ends it at once.`
}

// Run serves until the process is asked to stop, then finishes what runs.
func (c *appCommand) Run(p *process) error {
	if c.Check {
		return c.check(p)
	}
	nodes, stopNodes, err := c.openNodes(p)
	if err != nil {
		return err
	}
	defer stopNodes()
	m, err := holdfast.New(nodes, c.options(p.log))
	if err != nil {
		return err
	}
	return c.serve(p, m)
}

func (c *appCommand) serve(p *process, m *holdfast.Manager) error {
	l, err := net.Listen("tcp", string(c.Listen))
	if err != nil {
		return errors.Join(fmt.Errorf("cannot listen: %w", err), m.Shutdown(p.ctx))
	}
	defer l.Close()
	for _, remark := range c.remarks() {
		p.log.Warn(remark)
	}
	c.announce(p, l.Addr())
	defer context.AfterFunc(p.ctx, func() { p.log.Info("stopping: finishing the requests that run") })()
	a := newApp(m, string(c.Route), p.log, p.ctx.Done())
	return holdfast.ServeListener(p.ctx, newServer(a.handler(), p.log), l, m)
}

// openNodes returns the nodes of --nodes, or else one inside this process. The
// caller calls stop when the manager is done with them.
func (c *appCommand) openNodes(p *process) (nodes []store.Node, stop func(), err error) {
	list, stop := c.Nodes, func() {}
	if list == "" {
		if list, stop, err = embeddedNode(p); err != nil {
			return nil, nil, err
		}
	}
	if nodes, err = memcachedstore.Nodes(list, c.nodeOptions()); err != nil {
		stop()
		return nil, nil, fmt.Errorf("nodes: %w", err)
	}
	return nodes, stop, nil
}

func (c *appCommand) nodeOptions() *memcachedstore.Options {
	return &memcachedstore.Options{User: c.NodeUser, Password: string(c.NodePassword)}
}

// embeddedNode starts a node on a free port and returns it as --nodes has it.
func embeddedNode(p *process) (list string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("cannot start the embedded cache node: %w", err)
	}
	p.say("No --nodes given: sessions lie on a cache node inside this process (%s) and end with it.", l.Addr())
	// Not the process's context: the node must outlive the last request.
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.ctx))
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := serveNode(ctx, node.New(nil), l); err != nil && ctx.Err() == nil {
			p.log.Error("the embedded cache node failed", "error", err)
		}
	})
	return "n1:" + l.Addr().String(), func() { cancel(); serving.Wait() }, nil
}

func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

func (c *appCommand) announce(p *process, addr net.Addr) {
	p.say("Open http://%s/", addr)
	if !c.InsecureCookie {
		p.say("The session cookie is Secure: over plain http it works in browsers on localhost only; for curl or another host give --insecure-cookie.")
	}
	p.log.Info("serving", "address", addr.String(), "route", string(c.Route))
}

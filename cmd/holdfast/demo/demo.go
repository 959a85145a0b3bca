package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// Options of a demo.
type Options struct {
	Listen    string // host:port of the balancer; port 0: a free one
	Copies    int    // at the beginning; zero: two
	Memcached bool   // nodes are memcached processes, not parts of this one

	// App is what an app server answers at /session, /session/NAME and
	// /counter/NAME; route is its name. Required.
	App func(m *holdfast.Manager, route string) http.Handler

	// Ready is called with the address of the page once it is served. Nil: nobody is.
	Ready func(net.Addr)
}

// A demo is everything that runs.
type demo struct {
	cluster  *cluster
	balancer *balancer
	proxy    http.Handler
	sights   *sights
	meter    *meter
	load     *load
	feed     *feed
}

// Run serves the page until ctx ends.
func Run(ctx context.Context, o Options) (err error) {
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	defer l.Close()
	d, err := newDemo(o, l.Addr())
	if err != nil {
		return err
	}
	defer d.close()
	if o.Ready != nil {
		o.Ready(l.Addr())
	}
	return d.serve(ctx, l)
}

func newDemo(o Options, page net.Addr) (*demo, error) {
	if o.Copies == 0 {
		o.Copies = 2
	}
	d := &demo{feed: newFeed(), meter: newMeter()}
	c, err := newCluster(o, d.feed.tell)
	if err != nil {
		return nil, err
	}
	d.cluster = c
	d.balancer = newBalancer(c)
	d.sights = newSights(c)
	d.load = newLoad("http://" + reachable(page))
	c.lost = d.load.forgive
	d.proxy = d.newProxy()
	return d, nil
}

// reachable is an address of a listener on this machine.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return a.String()
}

// serve ends after the last request, and when nothing runs behind them any more.
func (d *demo) serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := &http.Server{
		Handler: d.handler(ctx, l.Addr()), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
	}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { d.balancer.watch(ctx) })
	running.Go(func() { d.report(ctx) })
	served := make(chan error, 1)
	running.Go(func() { served <- srv.Serve(l) })
	select {
	case err := <-served:
		return fmt.Errorf("the page is served no more: %w", err)
	case <-ctx.Done():
	}
	d.load.stop()
	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancelLast()
	if err := srv.Shutdown(last); err != nil {
		return errors.Join(fmt.Errorf("requests under way were cut: %w", err), srv.Close())
	}
	return nil
}

func (d *demo) close() {
	d.load.stop()
	d.balancer.close()
	d.cluster.close()
}

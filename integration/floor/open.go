package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// A bench has all that is measured, in this process.
type bench struct {
	plan   plan
	nodes  []string
	site   *site
	raw    pair
	calls  map[int][]*exchange // by number of copies
	load   func(job) (measure.Tally, error)
	closer []func()
}

// open starts two memcached, the site over HTTP, and the process that asks for its pages.
func open(ctx context.Context, p plan) (*bench, error) {
	b := &bench{plan: p, calls: map[int][]*exchange{}}
	for _, step := range []func(context.Context) error{b.startNodes, b.openSite, b.dial, b.serve} {
		if err := step(ctx); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

func (b *bench) close() {
	for _, end := range slices.Backward(b.closer) {
		end()
	}
}

func (b *bench) startNodes(ctx context.Context) error {
	for range 2 {
		node, addr, err := measure.StartMemcached(ctx)
		if err != nil {
			return err
		}
		b.nodes, b.closer = append(b.nodes, addr), append(b.closer, node.Kill)
	}
	return nil
}

func (b *bench) openSite(context.Context) (err error) {
	if b.site, err = openSite(b.nodes, slices.Max(b.plan.clients), b.plan.sessions); err == nil {
		b.closer = append(b.closer, b.site.close)
	}
	return err
}

func (b *bench) dial(context.Context) (err error) {
	if b.raw, err = dial(b.nodes); err != nil {
		return err
	}
	b.closer = append(b.closer, b.raw.close)
	for copies, cookies := range b.site.written {
		for _, cookie := range cookies {
			e, err := b.raw.exchange(cookie, copies)
			if err != nil {
				return err
			}
			b.calls[copies] = append(b.calls[copies], e)
		}
	}
	return nil
}

func (b *bench) serve(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: b.site}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(listener) // until it is closed
	}()
	b.closer = append(b.closer, func() {
		_ = srv.Close()
		<-ended
	})
	child, err := measure.StartSelf(ctx, loadRole, listener.Addr().String())
	if err != nil {
		return err
	}
	b.closer = append(b.closer, child.Kill)
	jobs, outcomes := json.NewEncoder(child.In), json.NewDecoder(child.Out)
	b.load = func(j job) (measure.Tally, error) {
		var o outcome
		err := jobs.Encode(j)
		if err == nil {
			err = outcomes.Decode(&o)
		}
		if err == nil && o.Failure != "" {
			err = errors.New(o.Failure)
		}
		return o.Tally, err
	}
	return nil
}

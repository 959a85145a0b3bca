package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// A rig is a contestant that runs: an app server, its nodes, and the load.
type rig struct {
	contestant
	ctx     context.Context
	node    []*measure.Process
	addrs   []string // of the nodes
	app     *measure.Process
	load    *load
	monitor *measure.Browser
	result  *result
}

// A field is all rigs.
type field struct {
	plan plan
	rigs []*rig
}

// openField starts everything, makes the sessions, and warms it up.
func openField(ctx context.Context, p plan, list []contestant) (*field, error) {
	f := &field{plan: p}
	for _, c := range list {
		r := &rig{contestant: c, ctx: ctx, result: newResult(c)}
		f.rigs = append(f.rigs, r)
		if err := r.start(p); err != nil {
			f.close()
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return f, nil
}

func (r *rig) start(p plan) error {
	for range r.nodes {
		node, addr, err := measure.StartMemcached(r.ctx)
		if err != nil {
			return err
		}
		r.node, r.addrs = append(r.node, node), append(r.addrs, addr)
	}
	app, addr, err := startApp(r.ctx, r.contestant, r.addrs)
	if err != nil {
		return err
	}
	r.app = app
	r.load = newLoad(addr, p.connections, r.name == bare)
	r.monitor = &measure.Browser{Addr: addr}
	return r.populate(p)
}

// populate makes the sessions and uses each some times: connections and memory pools
// grow before anything is measured.
func (r *rig) populate(p plan) error {
	n := p.connections * p.visitors
	if err := r.apply(begin, times(n)); err != nil {
		return err
	}
	r.load.settle()
	for _, k := range []kind{unused, read, change} {
		if err := r.apply(k, times(n)); err != nil {
			return err
		}
	}
	return nil
}

// apply sends requests that are not measured, all of which must be answered well.
func (r *rig) apply(k kind, more func() bool) error {
	t, err := r.load.run(r.ctx, k, more)
	if err == nil && t.wrong > 0 {
		err = fmt.Errorf("%d of %d answers are wrong: %w", t.wrong, len(t.latencies), t.example)
	}
	return err
}

// appUsage asks the app server what it used. It answers after what it does behind the
// requests; collect has it collect its garbage before.
func (r *rig) appUsage(collect bool) (u measure.Usage, err error) {
	path := usagePath
	if collect {
		path += "?collect"
	}
	p, err := r.monitor.Send(r.ctx, "GET ", path, nil)
	if err != nil {
		return u, err
	}
	if p.Status != http.StatusOK {
		return u, fmt.Errorf("usage: %d %s", p.Status, p.Body)
	}
	return u, json.Unmarshal(p.Body, &u)
}

func (r *rig) close() {
	if r.load != nil {
		r.load.close()
		r.monitor.Close()
	}
	if r.app != nil {
		r.app.Kill()
	}
	for _, node := range r.node {
		node.Kill()
	}
}

func (f *field) close() {
	for _, r := range f.rigs {
		r.close()
	}
}

// results is what all phases found.
func (f *field) results() *results {
	all := &results{plan: f.plan, memcached: "none"}
	for _, r := range f.rigs {
		all.rows = append(all.rows, r.result)
		if r.result.memcached != "" {
			all.memcached = r.result.memcached
		}
	}
	return all
}

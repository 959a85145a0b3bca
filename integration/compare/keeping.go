package main

import (
	"context"
	"errors"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// What a contestant keeps is found out last, since it breaks something.

// A share is how many of how many.
type share struct{ kept, of int }

// browserConnections is how many requests a browser sends at once.
const browserConnections = 6

// changeInParallel has the connections of one browser change its session at once, and
// looks at what it counts afterwards.
func (f *field) changeInParallel(r *rig) error {
	if r.name == bare {
		return nil
	}
	crowd := newLoad(r.monitor.Addr, browserConnections, false)
	defer crowd.close()
	one := crowd.newVisitor()
	b := crowd.browsers[0]
	if err := one.visit(r.ctx, b, begin); err != nil {
		return err
	}
	for i := range crowd.visitors { // each a copy: what it expects will be wrong
		v := *one
		v.cookie, v.want = append([]byte(nil), one.cookie...), nil
		crowd.visitors[i] = []*visitor{&v}
	}
	t, err := crowd.run(r.ctx, change, times(f.plan.increments))
	if err != nil {
		return err
	}
	one.cookie = crowd.visitors[0][0].cookie // sessions in cookies are what one browser has
	one.count = -1                           // so that it is not what is read
	if err := one.visit(r.ctx, b, read); err != nil && !errors.Is(err, errWrong) {
		return err
	}
	r.result.refused = t.refused
	r.result.parallel = share{kept: max(one.count, 0), of: len(t.latencies) - t.refused}
	return nil
}

// killAndRead kills the app server, and then a node, and each time asks another app
// server for all sessions.
func (f *field) killAndRead(r *rig) error {
	if r.name == bare {
		return nil
	}
	if _, err := r.appUsage(false); err != nil { // at rest: nothing is unsent
		return err
	}
	r.app.Kill()
	if err := r.restart(); err != nil {
		return err
	}
	var err error
	if r.result.appDeath, err = r.survivors(); err != nil || r.nodes == 0 {
		return err
	}
	r.node[0].Kill()
	r.result.nodeDeath, err = r.survivors()
	return err
}

// restart starts an app server in place of the one that was killed.
func (r *rig) restart() error {
	app, addr, err := startApp(r.ctx, r.contestant, r.addrs)
	if err != nil {
		return err
	}
	r.app = app
	r.monitor.Close()
	r.monitor.Addr = addr
	for _, b := range r.load.browsers {
		b.Close()
		b.Addr = addr
	}
	return nil
}

// survivors counts the sessions that are read with all that is in them.
func (r *rig) survivors() (s share, err error) {
	for i, visitors := range r.load.visitors {
		for _, v := range visitors {
			kept, err := survives(r.ctx, v, r.load.browsers[i])
			if err != nil {
				return s, err
			}
			if s.of++; kept {
				s.kept++
			}
		}
	}
	return s, nil
}

func survives(ctx context.Context, v *visitor, b *measure.Browser) (bool, error) {
	err := v.visit(ctx, b, read)
	if errors.Is(err, errWrong) {
		return false, nil
	}
	return err == nil, err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// A load is some browsers at one app server. Each has visitors of its own, so that no
// two requests of one session are under way at once: under that, those who lose
// parallel changes lose none either.
type load struct {
	forgets  bool
	browsers []*measure.Browser
	visitors [][]*visitor // of each browser: they read and change
	fresh    [][]*visitor // of each browser: made by begin, ended by destroy
	made     atomic.Int64 // visitors so far
}

func newLoad(addr string, connections int, forgets bool) *load {
	l := &load{forgets: forgets, visitors: make([][]*visitor, connections), fresh: make([][]*visitor, connections)}
	for range connections {
		l.browsers = append(l.browsers, &measure.Browser{Addr: addr})
	}
	return l
}

// A tally is what a load met.
type tally struct {
	latencies []time.Duration // of each request, in ascending order
	wrong     int             // answers, with those refused
	refused   int             // requests
	example   error           // one of them
}

// run sends requests of one kind, over all connections at once, as long as more says
// so. Requests to destroy end with the sessions that begin made.
func (l *load) run(ctx context.Context, k kind, more func() bool) (tally, error) {
	parts := make([]tally, len(l.browsers))
	errs := make([]error, len(l.browsers))
	var wg sync.WaitGroup
	for i := range l.browsers {
		wg.Go(func() { errs[i] = l.drive(ctx, i, k, more, &parts[i]) })
	}
	wg.Wait()
	return join(parts), errors.Join(errs...)
}

func (l *load) drive(ctx context.Context, i int, k kind, more func() bool, t *tally) error {
	for n := 0; more() && ctx.Err() == nil; n++ {
		v := l.next(i, n, k)
		if v == nil {
			break
		}
		start := time.Now()
		err := v.visit(ctx, l.browsers[i], k)
		t.latencies = append(t.latencies, time.Since(start))
		if err := t.note(err); err != nil {
			return fmt.Errorf("session %s: %w", k, err)
		}
	}
	return ctx.Err()
}

// note returns the errors that are no answer.
func (t *tally) note(err error) error {
	if !errors.Is(err, errWrong) {
		return err
	}
	t.wrong, t.example = t.wrong+1, err
	if errors.Is(err, errRefused) {
		t.refused++
	}
	return nil
}

// next is who sends the n-th request of a browser; nil ends it.
func (l *load) next(i, n int, k kind) *visitor {
	switch k {
	case begin:
		v := l.newVisitor()
		l.fresh[i] = append(l.fresh[i], v)
		return v
	case destroy:
		last := len(l.fresh[i]) - 1
		if last < 0 {
			return nil
		}
		v := l.fresh[i][last]
		l.fresh[i] = l.fresh[i][:last]
		return v
	}
	return l.visitors[i][n%len(l.visitors[i])]
}

func (l *load) newVisitor() *visitor {
	return &visitor{user: fmt.Sprintf("u%07d", l.made.Add(1)), forgets: l.forgets}
}

// settle makes the new sessions the ones that are read and changed.
func (l *load) settle() {
	for i := range l.fresh {
		l.visitors[i] = append(l.visitors[i], l.fresh[i]...)
		l.fresh[i] = nil
	}
}

func (l *load) close() {
	for _, b := range l.browsers {
		b.Close()
	}
}

func join(parts []tally) (all tally) {
	for _, t := range parts {
		all.latencies = append(all.latencies, t.latencies...)
		all.wrong, all.refused = all.wrong+t.wrong, all.refused+t.refused
		if t.example != nil {
			all.example = t.example
		}
	}
	slices.Sort(all.latencies)
	return all
}

// during lasts for d from now on.
func during(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return time.Now().Before(end) }
}

// times lasts for n requests, of all connections together.
func times(n int) func() bool {
	var done atomic.Int64
	return func() bool { return done.Add(1) <= int64(n) }
}

package placement

import (
	"context"
	"time"

	"github.com/holdfast-sessions/holdfast/deadline"
	"github.com/holdfast-sessions/holdfast/store"
)

// A call asks one node.
type call struct {
	ask func(o *op, ctx context.Context, n int) answer

	// start and end, if not nil, are ask in two steps. start returns nil where the
	// node has to be asked in one.
	start func(o *op, ctx context.Context, at store.Starter, n int) store.Pending
	end   func(o *op, n int, item store.Item, err error) answer
}

// startAt starts the call of one node, if that can be.
func (c call) startAt(ctx context.Context, o *op, n int) store.Pending {
	if at, ok := o.roster.nodes[n].Store.(store.Starter); ok && c.start != nil {
		return c.start(o, ctx, at, n)
	}
	return nil
}

// flight calls all of targets at once, and waits for each no longer than for a
// node that hangs.
func (o *op) flight(ctx context.Context, targets set, call call) {
	if targets == 0 {
		return
	}
	began := time.Now()
	if o.patience > 0 {
		limit := o.newLimit()
		limit.Begin(ctx, began.Add(o.patience))
		defer limit.End()
		ctx = limit
	}
	one := targets.first() // is called in this goroutine
	if others := targets.without(one); others == 0 {
		o.in[one] = call.ask(o, ctx, one)
	} else {
		o.callAll(ctx, one, others, call)
	}
	for n := range targets.all() {
		o.note(n, time.Since(began))
	}
}

// newLimit is a context that is used once: whom a flight has called may keep it.
func (o *op) newLimit() *deadline.Context {
	if o.limited {
		return new(deadline.Context)
	}
	o.limited = true
	return &o.limit
}

// maxStarted is for how many calls of a flight there is room without memory of
// their own.
const maxStarted = 3

// callAll starts the others first and asks one meanwhile. Who cannot be started
// takes a goroutine.
func (o *op) callAll(ctx context.Context, one int, others set, call call) {
	var pending [maxStarted]store.Pending
	started := set(0)
	for ; others != 0; others = others.without(others.first()) {
		n := others.first()
		if i := started.size(); i < maxStarted {
			if pending[i] = call.startAt(ctx, o, n); pending[i] != nil {
				started = started.with(n)
				continue
			}
		}
		o.calls.Add(1)
		go o.callOne(ctx, n, call)
	}
	o.in[one] = call.ask(o, ctx, one)
	for i := 0; started != 0; i, started = i+1, started.without(started.first()) {
		n := started.first()
		item, err := pending[i].Wait(ctx)
		o.in[n] = call.end(o, n, item, err)
	}
	o.calls.Wait()
}

func (o *op) callOne(ctx context.Context, n int, call call) {
	defer o.calls.Done()
	o.in[n] = call.ask(o, ctx, n)
}

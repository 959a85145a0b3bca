package integration

import (
	"math"
	"time"
)

// What may be lost with an app server that answers before a change is on the nodes:
// no more than it had said it holds alone.

// A lossBudget is how many sessions may have lost changes, with all app servers that
// were killed so far.
type lossBudget struct {
	said  int64 // to be unsent, when a server was asked
	since int64 // changed after that, until it was dead
}

// unsent are the changes that an app server holds alone.
type unsent struct {
	sessions int64
	sent     time.Duration // what was acknowledged before this moment is on the nodes
	changes  int64         // of all app servers, accepted before it was asked
}

const never = time.Duration(math.MaxInt64)

// unsentOf asks an app server.
func (d *drill) unsentOf(app *appServer) unsent {
	d.t.Helper()
	asked, changes := time.Since(d.began), d.changes.Load()
	local := app.stats(d.t).Local
	return unsent{int64(local.Unsent), asked - local.OldestUnsent, changes}
}

// holds asks what may be lost by f, just before it strikes.
func (d *drill) holds(f fault) unsent {
	d.t.Helper()
	if !d.async || f.app == nil {
		return unsent{sent: never}
	}
	return d.unsentOf(f.app)
}

// spend adds what f has taken with it, just after it struck. Whatever was under way
// then may be a change that is still to be accepted.
func (d *drill) spend(f fault, held unsent) {
	if d.async && f.app != nil && !f.remembers {
		d.budget.said += held.sessions
		d.budget.since += d.changes.Load() - held.changes + d.inFlight.Load()
	}
}

// untilSent waits until all app servers have sent what they held when b was repaired.
// Until then two of them may have gone on with one session at once, each from its
// memory: what they answered was not yet in one order.
func (d *drill) untilSent(b blow) {
	d.t.Helper()
	if b.held.sent == never {
		return
	}
	b.End = time.Since(d.began)
	for _, app := range d.apps {
		waitFor(d.t, app.route+" to send what it holds", func() bool { return d.unsentOf(app).sent > b.End })
	}
	d.seen.Loss(b.Span, d.repaired, b.held.sent)
}

// killWhileHolding kills each app server when it holds changes of 100 ms alone.
func (d *drill) killWhileHolding() {
	for _, app := range d.apps {
		d.holdChanges()
		time.Sleep(100 * time.Millisecond)
		f := kill(app)
		f.strike = func() { app.Kill(); d.letChangesPass() }
		d.one(f)
	}
}

// checkLosses compares what is missing at the end with the budget. An increment of
// which nobody knows may hide a loss; the budget is for all that were acknowledged.
func (d *drill) checkLosses() (sessions int64) {
	d.t.Helper()
	increments := int64(0)
	for _, u := range d.users {
		if missing := u.increments.Load() - u.hits.Load(); missing > 0 {
			sessions++
			increments += missing
		}
	}
	d.t.Logf("at the end %d sessions miss %d acknowledged increments; %d were said to be unsent when servers were killed, and up to %d changed after that",
		sessions, increments, d.budget.said, d.budget.since)
	if sessions > d.budget.said+d.budget.since {
		d.t.Error("more sessions lost changes than the loss budget had said")
	}
	return sessions
}

package integration

import (
	"slices"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// operationTimeout of the app servers in a drill: so generous that a busy machine
// is not taken for a node that hangs.
const operationTimeout = 2 * time.Second

// A drill is three app servers on two memcached, behind a balancer and under load,
// of which one thing at a time fails.
type drill struct {
	*load
	*farm
	mode
	budget   lossBudget
	struck   int           // how many faults
	repaired time.Duration // when the last repair was over
}

// startDrill starts everything but the load, with app servers that run the
// command at path.
func startDrill(t *testing.T, m mode, path string, flags ...string) *drill {
	t.Helper()
	flags = slices.Concat([]string{"--operation-timeout", operationTimeout.String()}, m.flags, flags)
	f := startFarm(t, path, 2, 3, flags...)
	web := m.balancer.start(t, f.backends())
	return &drill{load: newLoad(t, "http://"+web), farm: f, mode: m}
}

// run has each fault happen once in each round, one after the other, and longer if
// HOLDFAST_DRILL says so. At the end everything must be explained that clients were
// told.
func (d *drill) run(faults []fault, rounds int) {
	d.t.Helper()
	stop := d.start()
	d.repair()
	for began, atLeast := time.Now(), drillTime(d.t); d.struck < rounds*len(faults) || time.Since(began) < atLeast; {
		d.one(faults[d.struck%len(faults)])
	}
	d.waitForRequests(requests)
	stop()
	d.judge()
}

// judge reads all sessions and compares what clients were told. It returns how many
// sessions lost changes that no node had.
func (d *drill) judge() (losers int64) {
	d.t.Helper()
	d.readAll()
	d.summary()
	if d.accepted.Load() < d.done.Load()*8/10 {
		d.t.Errorf("only %d of %d requests were accepted: this proves too little", d.accepted.Load(), d.done.Load())
	}
	if err := d.seen.Check(); err != nil {
		d.t.Error(firstLines(err.Error(), 30))
	}
	return d.checkLosses()
}

// fewestUnderWay is how many requests a fault strikes at least.
const fewestUnderWay = 8

// A blow is one fault that has struck.
type blow struct {
	history.Span
	underWay      int64         // requests
	acceptedAfter time.Duration // the next request was
	held          unsent        // what may be lost by it
}

// inject strikes with f while requests are under way, waits until requests are
// accepted again, and heals f.
func (d *drill) inject(f fault) blow {
	d.t.Helper()
	b := blow{held: d.holds(f)}
	b.Start = time.Since(d.began)
	again := newRecovery(b.Start)
	d.recovery.Store(again)
	b.underWay = d.awaitInFlight(fewestUnderWay)
	f.strike()
	b.End = time.Since(d.began)
	d.struck++
	d.seen.Loss(b.Span, d.repaired, b.held.sent)
	d.spend(f, b.held)
	healed := time.After(f.lasts)
	select {
	case b.acceptedAfter = <-again.after:
	case <-time.After(20 * time.Second):
		d.t.Errorf("%s: no request was accepted for 20 s", f.name)
	}
	<-healed
	f.heal()
	return b
}

// one is one fault from its stroke to the end of its repair.
func (d *drill) one(f fault) {
	d.t.Helper()
	began := time.Now()
	b := d.inject(f)
	healed := time.Since(began)
	changed := d.repair()
	d.untilSent(b)
	d.t.Logf("fault %2d: %-36s %2d requests under way, accepted again after %v, healed after %v, repaired after %v, %d sessions with a change",
		d.struck, f.name, b.underWay, round(b.acceptedAfter), round(healed), round(time.Since(began)), changed)
	if b.underWay < fewestUnderWay {
		d.t.Errorf("%s struck %d requests under way, want at least %d", f.name, b.underWay, fewestUnderWay)
	}
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// summary is for the log.
func (d *drill) summary() {
	d.t.Logf("%d requests: %d accepted, %d refused, %d unknown; %d faults; %s",
		d.done.Load(), d.accepted.Load(), d.refused.Load(), d.unknown.Load(), d.struck, d.latencies.String())
	for i, s := range d.stats() {
		p := s.Placement
		d.t.Logf("%s since its last start: %d commits, %d replayed, %d conflicts, %d uncertain writes, %d relocations, %d repairs, %d degraded, %d mends owed",
			d.apps[i].route, s.Commits, s.Replays, p.Conflicts, p.Uncertain, p.Relocations, p.Repairs, p.Degraded, p.MendsOwed)
	}
}

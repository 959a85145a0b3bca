package health_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement/health"
)

const (
	probeTimeout = 500 * time.Millisecond
	quarantine   = 2 * time.Second
)

var (
	errRefused = errors.New("connection refused")
	errTimeout = errors.New("no answer in time")
)

// What a node does with a probe, or with Return.
func answer(context.Context) error { return nil }
func refuse(context.Context) error { return errRefused }

func answerSoon(context.Context) error {
	time.Sleep(time.Millisecond)
	return nil
}

func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// A watched node: its monitor, and what that did.
type watched struct {
	*health.Monitor
	t *testing.T

	mu       sync.Mutex // guards what follows
	behave   func(context.Context) error
	deliver  func(context.Context) error
	probes   []time.Time // when each began
	returns  int
	underway int // probes and Returns
	changes  []string
	whys     []error

	last health.State // not guarded: the race detector tells when Changed is called concurrently
}

// inBubble runs test in fake time on a node that does with probes as behave.
// At its end synctest looks for goroutines left behind.
func inBubble(t *testing.T, behave func(context.Context) error, test func(t *testing.T, n *watched)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &watched{t: t, behave: behave, deliver: answer}
		n.Monitor = health.New(health.Options{
			Probe:        n.probe,
			Return:       n.comeBack,
			Changed:      n.changed,
			ProbeTimeout: probeTimeout,
			Quarantine:   quarantine,
		})
		defer n.Close()
		time.Sleep(time.Minute) // a node that has been Up for long
		test(t, n)
	})
}

func (n *watched) probe(ctx context.Context) error {
	n.enter(func() { n.probes = append(n.probes, time.Now()) })
	defer n.leave()
	return n.behaviour(&n.behave)(ctx)
}

func (n *watched) comeBack(ctx context.Context) error {
	n.enter(func() { n.returns++ })
	defer n.leave()
	if got := n.State(); got != health.Returning {
		n.t.Errorf("Return runs in state %v, want %v", got, health.Returning)
	}
	return n.behaviour(&n.deliver)(ctx)
}

func (n *watched) enter(note func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	note()
	if n.underway++; n.underway > 1 {
		n.t.Errorf("%d probes or Returns at once, want 1", n.underway)
	}
}

func (n *watched) behaviour(of *func(context.Context) error) func(context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return *of
}

func (n *watched) leave() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.underway--
}

func (n *watched) changed(from, to health.State, why error) {
	if from != n.last {
		n.t.Errorf("told of %v to %v after a change to %v", from, to, n.last)
	}
	n.last = to
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changes = append(n.changes, to.String())
	n.whys = append(n.whys, why)
}

// nowDoes changes what the node does with the next probe.
func (n *watched) nowDoes(behave func(context.Context) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.behave = behave
}

// lastWhy returns the reason of the last change.
func (n *watched) lastWhy() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.whys[len(n.whys)-1]
}

func (n *watched) changeCount() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.changes)
}

func (n *watched) probeCount() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.probes)
}

// goneFor makes the node Down for real and lets d pass.
func (n *watched) goneFor(d time.Duration) {
	n.nowDoes(refuse)
	n.Refused(errRefused)
	time.Sleep(d)
	n.wants(health.Down)
}

// until lets time pass until the node is in state.
func (n *watched) until(state health.State) {
	n.t.Helper()
	for range 60_000 {
		if synctest.Wait(); n.State() == state {
			return
		}
		time.Sleep(time.Millisecond)
	}
	n.t.Fatalf("not %v after a minute, but %v", state, n.State())
}

func (n *watched) wants(state health.State) {
	n.t.Helper()
	synctest.Wait()
	if got := n.State(); got != state {
		n.t.Fatalf("state is %v, want %v", got, state)
	}
	if got, want := n.Usable(), state == health.Up || state == health.Suspect; got != want {
		n.t.Errorf("Usable when %v = %v, want %v", state, got, want)
	}
}

// wantsChanges compares what Changed was told since the last call.
func (n *watched) wantsChanges(want ...string) {
	n.t.Helper()
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.changes, want) {
		n.t.Errorf("changes: %v, want %v", n.changes, want)
	}
	n.changes = nil
}

func (n *watched) wantsProbes(want int) {
	n.t.Helper()
	synctest.Wait()
	if got := n.probeCount(); got != want {
		n.t.Errorf("%d probes, want %d", got, want)
	}
}

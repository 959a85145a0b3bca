// Package storetest is the contract of store.Store as a test suite.
//
// Every rule is a row with a name and the sentence that it enforces; a row that
// fails prints the sentence. A store's own test is a few lines:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Harness {
//			server := servers.StartMemcached(t)
//			...
//			return storetest.Harness{Store: s, Restart: ..., Granularity: 2 * time.Second}
//		})
//	}
package storetest

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// A Harness is a store under test, with what the suite must know of its server.
// The server may hold other items: the suite uses keys of its own.
type Harness struct {
	// Store is open and works. If it is an io.Closer, a row closes it; closing
	// it once more must do no harm.
	Store store.Store

	// Restart ends the server and starts it again at the same address, with no
	// items. The Store is not told. nil needs a reason in NoRestart.
	Restart func(t testing.TB)

	// NoRestart says why there is no Restart, for example that the store keeps
	// its items over a restart.
	NoRestart string

	// MaxItem is the size of the largest item that the server takes, in bytes
	// as the server counts them: value and up to 1 KiB for the rest. Zero: not
	// known, and the rows about size are skipped.
	MaxItem int

	// Granularity is how much longer than its TTL an item may live: the tick
	// of the server's clock, and what a busy machine adds to it.
	Granularity time.Duration

	late time.Duration // how much later yet the end of an item may show
}

// Run tests the store that open returns, in real time. Most rows open a store
// each; the rows that wait for seconds share one and wait together.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, r := range rows() {
		if !r.waits {
			t.Run(r.name, func(t *testing.T) { r.run(t, open(t)) })
		}
	}
	t.Run("waiting", func(t *testing.T) { runTogether(t, open(t)) })
}

// runTogether runs the rows that wait. They sleep, so it is not t.Parallel,
// which runs as many as there are processors.
func runTogether(t *testing.T, h Harness) {
	h.late = lateness
	var wg sync.WaitGroup
	for _, r := range rows() {
		if r.waits {
			wg.Go(func() { t.Run(r.name, func(t *testing.T) { r.run(t, h) }) })
		}
	}
	wg.Wait()
}

// lateness is more than a machine is ever busy for.
const lateness = 15 * time.Second

// RunInBubble is Run in the fake time of package synctest, with a store for each
// row. It is for stores whose server runs inside the bubble.
func RunInBubble(t *testing.T, open func(t *testing.T) Harness) {
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { r.run(t, open(t)) })
		})
	}
}

// A row is one rule of the contract.
type row struct {
	name  string
	rule  string // the sentence that is printed when the row fails
	check func(t *trial)
	waits bool // sleeps for seconds
}

func (r row) run(t testing.TB, h Harness) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("rule %s: %s", r.name, r.rule)
		}
	}()
	if h.Restart == nil && h.NoRestart == "" {
		t.Fatal("the harness has no Restart and no reason in NoRestart")
	}
	r.check(newTrial(t, h))
}

// rows returns the whole contract, in the order in which the store.Store tells it.
func rows() []row {
	var all []row
	for _, topic := range [][]row{
		readRows(), putRows(), versionRows(), touchRows(), deleteRows(),
		contentRows(), keyRows(), lifeRows(), parallelRows(), sizeRows(), failureRows(), restartRows(),
	} {
		all = append(all, topic...)
	}
	return all
}

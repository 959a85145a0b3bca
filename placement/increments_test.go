package placement_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
)

// Each of the actors increments until it was told so ten times. The store loses,
// delays and refuses at random.
func TestHundredIncrementsGiveHundred(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			s := newFaulty()
			c := [2]*placement.Cluster{newCluster(t, s), newCluster(t, s)}
			create(t, c[0], id)
			s.meet = trouble(seed)
			var actors sync.WaitGroup
			for i := range 10 {
				actors.Go(func() {
					for range 10 {
						increaseStubbornly(t, c[i%2], fmt.Sprint("actor", i))
					}
				})
			}
			actors.Wait()
			s.meet = nil
			s.landAll()
			r := load(t, c[0], id).Record
			checkSum(t, r)
			if got := count(r, sum); got != 100 {
				t.Errorf("seed %d: 100 increments gave %d", seed, got)
			}
		})
	}
}

// trouble lets one in eight operations fail, in any way.
func trouble(seed uint64) func(context.Context, operation) fate {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(seed, 1))
	return func(_ context.Context, op operation) fate {
		time.Sleep(time.Microsecond) // others come in between
		mu.Lock()
		defer mu.Unlock()
		faults := faultsOf(op)
		if rng.IntN(8) > 0 {
			return happens
		}
		return faults[rng.IntN(len(faults))]
	}
}

// increaseStubbornly makes one increment, by as many changes as it takes.
func increaseStubbornly(t *testing.T, c *placement.Cluster, name string) {
	for range patience {
		v, err := c.Load(t.Context(), id, "")
		if err == nil {
			err = commitUntilKnown(t, c, v, increment(name))
		}
		if err == nil {
			return
		}
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
	t.Errorf("%s: no success in %d tries", name, patience)
}

// commitUntilKnown gives ch until its outcome is known.
func commitUntilKnown(t *testing.T, c *placement.Cluster, base *store.View, ch *store.Change) (err error) {
	for range patience {
		if _, err = c.Commit(t.Context(), id, base, ch); !errors.Is(err, store.ErrUnknownOutcome) {
			return err
		}
	}
	t.Errorf("given %d times, its outcome is still unknown: %v", patience, err)
	return nil
}

const patience = 100 // tries of which one in a few fails

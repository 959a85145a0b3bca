package placement_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"
)

// A director plays one run of a few actors in the fake time of a synctest
// bubble: it holds up every operation on the store and lets one happen at a
// time, with a fate, so that a run is the list of its choices and nothing else.
type director struct {
	store  *faulty
	choose func([]step) int

	faults int  // that may still be made
	idle   bool // time may still pass the grace

	mu      sync.Mutex
	waiting []*held // guarded by mu
	trace   []any
}

// A held is an operation that waits for its fate.
type held struct {
	operation
	actor string
	fate  chan fate
}

// A granted is a held operation that met its fate.
type granted struct {
	*held
	fate fate
}

func (g granted) String() string {
	return fmt.Sprintf("%s: %s %.5s %s", g.actor, g.verb, g.key, g.fate)
}

// A landing is a late write that happens.
type landing int

func (l landing) String() string { return fmt.Sprintf("late write %d happens", int(l)) }

// A step is one thing that a director can do next.
type step struct {
	what   any // prints as what happens
	weight int // how likely it is, in a run of random choices
	do     func()
}

type actorName struct{}

func (d *director) meet(ctx context.Context, op operation) fate {
	actor, ok := ctx.Value(actorName{}).(string)
	if !ok {
		actor = "behind" // what the cluster does by itself
	}
	h := &held{operation: op, actor: actor, fate: make(chan fate)}
	d.mu.Lock()
	d.waiting = append(d.waiting, h)
	d.mu.Unlock()
	return <-h.fate
}

// play runs actors until nothing waits any more. Late writes may be left.
func (d *director) play(ctx context.Context, actors map[string]func(context.Context)) {
	d.store.meet = d.meet
	var running sync.WaitGroup
	for name, act := range actors {
		running.Go(func() { act(context.WithValue(ctx, actorName{}, name)) })
	}
	var over atomic.Bool
	go func() { running.Wait(); over.Store(true) }()
	for synctest.Wait(); ; synctest.Wait() {
		if d.nobodyWaits() {
			if over.Load() {
				break
			}
			time.Sleep(time.Millisecond) // all pause between two tries
			continue
		}
		steps := d.steps()
		next := steps[d.choose(steps)]
		d.trace = append(d.trace, next.what)
		next.do()
	}
	d.store.meet = nil
}

func (d *director) nobodyWaits() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.waiting) == 0
}

// steps lists what can happen next, in the same order for the same choices before.
func (d *director) steps() []step {
	slices.SortFunc(d.waiting, func(a, b *held) int {
		return cmp.Or(cmp.Compare(a.actor, b.actor), cmp.Compare(a.key, b.key))
	})
	var steps []step
	for i, h := range d.waiting {
		steps = append(steps, d.grant(i, h, happens, 12))
		if d.faults == 0 {
			continue
		}
		for _, f := range faultsOf(h.operation) {
			steps = append(steps, d.grant(i, h, f, 1))
		}
	}
	for i := range d.store.held() {
		steps = append(steps, step{landing(i), 4, func() { d.store.land(i) }})
	}
	if d.idle {
		steps = append(steps, step{"the grace passes", 1, d.sleep})
	}
	return steps
}

func faultsOf(op operation) []fate {
	if op.writes() {
		return []fate{answerLost, writeLost, late, refused}
	}
	return []fate{refused}
}

func (d *director) grant(i int, h *held, f fate, weight int) step {
	return step{granted{h, f}, weight, func() {
		if f != happens {
			d.faults--
		}
		d.waiting = slices.Delete(d.waiting, i, i+1)
		h.fate <- f
	}}
}

// story tells what happened, a line each.
func (d *director) story() string {
	var lines []string
	for _, what := range d.trace {
		lines = append(lines, fmt.Sprint(what))
	}
	return strings.Join(lines, "\n")
}

func (d *director) sleep() {
	d.idle = false
	time.Sleep(grace + time.Second)
}

// choices walks through all runs: each run repeats the choices of the one
// before, but for the last that can still be another.
type choices struct {
	made, of []int
	next     int
}

func (c *choices) choose(steps []step) int {
	if c.next == len(c.made) {
		c.made, c.of = append(c.made, 0), append(c.of, len(steps))
	}
	if c.of[c.next] != len(steps) {
		panic("the same choices led to another state: the test is not deterministic")
	}
	c.next++
	return c.made[c.next-1]
}

// another prepares the next run and reports whether there is one.
func (c *choices) another() bool {
	for last := len(c.made) - 1; last >= 0; last-- {
		if c.made[last]++; c.made[last] < c.of[last] {
			c.made, c.of, c.next = c.made[:last+1], c.of[:last+1], 0
			return true
		}
	}
	return false
}

// atRandom chooses by weight, the same for the same seed.
func atRandom(seed uint64) func([]step) int {
	rng := rand.New(rand.NewPCG(seed, 0))
	return func(steps []step) int {
		total := 0
		for _, s := range steps {
			total += s.weight
		}
		at := rng.IntN(total)
		for i, s := range steps {
			if at -= s.weight; at < 0 {
				return i
			}
		}
		panic("unreachable")
	}
}

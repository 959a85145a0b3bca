package protocolmodel

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"
)

// full adds the configurations that take minutes and gigabytes:
//
//	go test ./placement/protocolmodel -run Exhaustive -full -v -timeout 2h
var full = flag.Bool("full", false, "check the large configurations too")

// TestPromisesHold sees all states of the small configurations.
func TestPromisesHold(t *testing.T) {
	for _, q := range promised {
		t.Run(q.name, func(t *testing.T) { holdsEverywhere(t, q.config) })
	}
}

// TestPromisesHoldWithProbes asks for values only where the product does.
func TestPromisesHoldWithProbes(t *testing.T) {
	for _, q := range slices.Concat(promised, lived) {
		if small := q.config.Nodes == 2 && len(q.config.Roles) <= 2; small || *full {
			t.Run(q.name, func(t *testing.T) { holdsEverywhere(t, q.config.and(probing)) })
		}
	}
}

func TestExhaustiveLarge(t *testing.T) {
	if !*full {
		t.Skip("takes minutes and gigabytes: give -full")
	}
	for _, q := range large {
		t.Run(q.name, func(t *testing.T) { holdsEverywhere(t, q.config) })
	}
}

// holdsEverywhere demands that all states were seen, that no promise is broken in
// any, and that each client comes to a good end in one of them.
func holdsEverywhere(t *testing.T, c Config) {
	t.Helper()
	began := time.Now()
	r := Check(c)
	t.Logf("%d states, depth %d, %v", r.States, r.Depth, time.Since(began).Round(time.Millisecond))
	if r.Broken != "" {
		t.Errorf("%s:\n%s", r.Broken, strings.Join(r.Trace, "\n"))
	}
	if !r.Complete {
		t.Errorf("not all states seen: %d is the limit", r.States)
	}
	for k := range c.Roles {
		if c.Start != Buried && !succeeds(r, k) {
			t.Errorf("%s is never acknowledged: %v", clientName(k), r.Ends)
		}
	}
}

// succeeds says whether client k is acknowledged in any state that ends a walk.
func succeeds(r Result, k int) bool {
	for end := range r.Ends {
		if strings.Contains(end, clientName(k)+" is acknowledged") {
			return true
		}
	}
	return false
}

// TestPromisesHoldSoFar looks at the nearest states only of the large
// configurations: what it says is bounded. TestExhaustiveLarge sees all.
func TestPromisesHoldSoFar(t *testing.T) {
	for _, q := range large {
		t.Run(q.name+", the first 20000 states", func(t *testing.T) {
			q.config.MaxStates = 20_000
			if r := Check(q.config); r.Broken != "" {
				t.Errorf("%s:\n%s", r.Broken, strings.Join(r.Trace, "\n"))
			}
		})
	}
}

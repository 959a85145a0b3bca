package main

import (
	"cmp"
	"slices"
	"time"
)

// A result is all that was found out about one contestant.
type result struct {
	contestant
	samples   map[kind][]sample // one of each round
	costs     map[kind]cost
	weight    weight
	requests  int
	wrong     int   // answers under load
	example   error // one of them
	evictions int
	parallel  share // changes of one session that were not refused
	refused   int   // of the parallel changes
	appDeath  share // sessions after the death of an app server
	nodeDeath share // sessions after the death of a node, then
	memcached string
}

// results are those of all, in the contestants' order.
type results struct {
	plan      plan
	took      time.Duration
	busy      string // the machine's load averages before
	memcached string // its version
	rows      []*result
}

func newResult(c contestant) *result {
	return &result{contestant: c, samples: map[kind][]sample{}, costs: map[kind]cost{}}
}

func (r *result) count(t tally) {
	r.requests += len(t.latencies)
	if r.wrong += t.wrong; t.example != nil {
		r.example = t.example
	}
}

// typical is the median of all rounds, figure by figure.
func (r *result) typical(k kind) sample {
	all := r.samples[k]
	return sample{
		rate:   median(all, func(s sample) float64 { return s.rate }),
		p50:    median(all, func(s sample) time.Duration { return s.p50 }),
		p99:    median(all, func(s sample) time.Duration { return s.p99 }),
		app:    median(all, func(s sample) time.Duration { return s.app }),
		store:  median(all, func(s sample) time.Duration { return s.store }),
		allocs: median(all, func(s sample) float64 { return s.allocs }),
	}
}

func median[T cmp.Ordered](samples []sample, of func(sample) T) (m T) {
	var values []T
	for _, s := range samples {
		values = append(values, of(s))
	}
	if len(values) == 0 {
		return m
	}
	slices.Sort(values)
	return values[len(values)/2]
}

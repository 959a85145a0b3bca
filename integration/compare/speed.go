package main

import (
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// A sample is one contestant and kind in one round.
type sample struct {
	rate       float64       // requests per second
	p50, p99   time.Duration // of the answers, with all connections busy
	app, store time.Duration // processor time for one request
	allocs     float64       // for one request
}

// round measures every kind with every contestant. The one that begins moves on with
// each round, so that nobody always follows the same neighbour.
func (f *field) round(n int) error {
	for _, k := range kinds() {
		for i := range f.rigs {
			r := f.rigs[(i+n)%len(f.rigs)]
			if err := r.sample(k, f.plan.slice); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	return nil
}

func (r *rig) sample(k kind, slice time.Duration) error {
	if k == destroy {
		slice = time.Hour // until all that begin made are destroyed
	}
	if err := r.warmUp(k, slice/5); err != nil {
		return err
	}
	before, err := r.meter()
	if err != nil {
		return err
	}
	start := time.Now()
	t, err := r.load.run(r.ctx, k, during(slice))
	if err != nil {
		return err
	}
	after, err := r.meter()
	if err != nil {
		return err
	}
	if len(t.latencies) == 0 {
		return fmt.Errorf("no requests: session %s", k)
	}
	r.result.count(t)
	r.result.samples[k] = append(r.result.samples[k], sampleOf(t, start, before, after))
	return nil
}

// warmUp makes the processor's caches the contestant's. What it begins is destroyed later.
func (r *rig) warmUp(k kind, d time.Duration) error {
	if k == destroy {
		return nil
	}
	_, err := r.load.run(r.ctx, k, during(d))
	return err
}

// A reading is what the servers had used at a moment.
type reading struct {
	at   time.Time // when all was stored
	app  measure.Usage
	node measure.NodeUsage
}

func (r *rig) meter() (m reading, err error) {
	if m.app, err = r.appUsage(false); err != nil {
		return m, err
	}
	m.at = time.Now()
	m.node, err = measure.AskNodes(r.addrs)
	return m, err
}

func sampleOf(t tally, start time.Time, before, after reading) sample {
	n := len(t.latencies)
	return sample{
		rate: float64(n) / after.at.Sub(start).Seconds(),
		p50:  percentile(t.latencies, 50), p99: percentile(t.latencies, 99),
		app:    (after.app.CPU - before.app.CPU) / time.Duration(n),
		store:  (after.node.CPU - before.node.CPU) / time.Duration(n),
		allocs: float64(after.app.Allocations-before.app.Allocations) / float64(n),
	}
}

// percentile of what is sorted and not empty.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)-1)*p/100]
}

package staging

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// A meter knows of all requests. Its methods may be called in parallel.
type meter struct {
	underWay atomic.Int64

	mu       sync.Mutex
	samples  []sample       // guarded by mu
	sum      counts         // guarded by mu
	done     map[string]int // accepted, by kind; guarded by mu
	awaiting *awaiting      // what is accepted next; nil: nobody asks; guarded by mu
}

// A sample is one request.
type sample struct {
	history.Span
	outcome history.Outcome
}

// awaiting asks for the first request that began after a moment and was accepted.
type awaiting struct {
	since time.Duration
	after chan time.Duration // gets one
}

func newMeter() *meter { return &meter{done: map[string]int{}} }

func (m *meter) add(kind string, s sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, s)
	m.sum.add(s.outcome)
	if s.outcome != history.Accepted {
		return
	}
	m.done[kind]++
	if a := m.awaiting; a != nil && s.Start >= a.since {
		a.after <- s.End - a.since
		m.awaiting = nil
	}
}

// nextAccepted gets how long after since a request was accepted that began after it.
func (m *meter) nextAccepted(since time.Duration) <-chan time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.awaiting = &awaiting{since, make(chan time.Duration, 1)}
	return m.awaiting.after
}

// awaitLoad waits for a moment at which many requests are under way, and returns
// how many.
func (m *meter) awaitLoad(wanted int64) int64 {
	for end := time.Now().Add(time.Second); m.underWay.Load() < wanted && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	return m.underWay.Load()
}

// counts are how many requests had which outcome.
type counts struct {
	Accepted int `json:"accepted"` // it happened
	Refused  int `json:"refused"`  // it did not happen, and the client was told so
	Unknown  int `json:"unknown"`  // nobody can tell
}

func (c *counts) add(o history.Outcome) {
	switch o {
	case history.Accepted:
		c.Accepted++
	case history.Refused:
		c.Refused++
	case history.Unknown:
		c.Unknown++
	}
}

func (c counts) all() int { return c.Accepted + c.Refused + c.Unknown }

func (m *meter) soFar() counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sum
}

func (m *meter) snapshot() []sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.samples[:len(m.samples):len(m.samples)]
}

// total sums up samples.
func total(samples []sample) (c counts, took []time.Duration) {
	for _, s := range samples {
		c.add(s.outcome)
		took = append(took, s.End-s.Start)
	}
	slices.Sort(took)
	return c, took
}

// percentile is that of sorted times, in milliseconds; of none it is 0.
func percentile(took []time.Duration, p int) float64 {
	if len(took) == 0 {
		return 0
	}
	return milliseconds(took[(len(took)-1)*p/100])
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// count counts what is no request.
func (m *meter) count(kind string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done[kind]++
}

func (m *meter) kinds() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.done)
}

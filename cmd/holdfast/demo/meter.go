package demo

import (
	"math"
	"slices"
	"sync"
	"time"
)

// A meter knows how long the requests of the last minute took.
type meter struct {
	mu      sync.Mutex
	took    []time.Duration // since the last point; guarded by mu
	failed  int             // of them; guarded by mu
	minute  []point         // the latest at the end; guarded by mu
	takenAt time.Time       // guarded by mu
}

// A point is what the requests of one interval took, in milliseconds.
type point struct {
	At       int64   `json:"at"` // its end, in Unix milliseconds
	Requests int     `json:"requests"`
	Failed   int     `json:"failed"` // answered with 5xx
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`
	Rate     float64 `json:"rate"` // requests a second
}

const minutePoints = int(time.Minute / interval)

func newMeter() *meter { return &meter{minute: []point{}, takenAt: time.Now()} }

func (m *meter) add(d time.Duration, failed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.took = append(m.took, d)
	if failed {
		m.failed++
	}
}

// take ends an interval.
func (m *meter) take() point {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	p := point{At: now.UnixMilli(), Requests: len(m.took), Failed: m.failed}
	slices.Sort(m.took)
	p.P50, p.P99 = at(m.took, 0.50), at(m.took, 0.99)
	p.Rate = math.Round(float64(p.Requests) / max(now.Sub(m.takenAt).Seconds(), 0.001))
	m.took, m.failed, m.takenAt = m.took[:0], 0, now
	if m.minute = append(m.minute, p); len(m.minute) > minutePoints {
		m.minute = slices.Delete(m.minute, 0, 1)
	}
	return p
}

// last is the points of the last minute.
func (m *meter) last() []point {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]point{}, m.minute...) // never null
}

// at is the part-th quantile of sorted times: 0 if there are none.
func at(sorted []time.Duration, part float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := int(math.Ceil(part*float64(len(sorted)))) - 1
	return float64(sorted[i].Microseconds()) / 1000
}

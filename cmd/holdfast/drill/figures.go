package drill

import (
	"math"
	"slices"
	"time"
)

// Figures are what came of a drill, in counts and milliseconds.
type Figures struct {
	Requests    int     `json:"requests"`
	Failed      int     `json:"failed"`             // refused, or of unknown outcome
	Lost        int     `json:"lost_sessions"`      // gone without a logout
	LostUpdates int64   `json:"lost_updates"`       // acknowledged changes that a later answer did not show
	Doubled     int64   `json:"doubled"`            // increments that happened twice, or after they were refused
	UnsentLost  int     `json:"unsent_lost"`        // changes that only a dead server had; in this mode none has any
	Resurrected int     `json:"resurrected"`        // sessions served after their logout was acknowledged
	Faults      int     `json:"faults"`             // that struck
	InFlight    int64   `json:"in_flight_at_fault"` // requests under way when they did, all together
	Takeovers   int     `json:"takeovers"`          // sessions taken over from a dead server; in this mode no server has any
	Relocations uint64  `json:"relocations"`        // sessions that got other nodes
	Replayed    uint64  `json:"conflicts_replayed"` // changes applied again to the session of a faster request
	P50         float64 `json:"p50_ms"`             // of the time that a request took, with what the app does in it
	P99         float64 `json:"p99_ms"`
	Max         float64 `json:"max_ms"`
}

// figures sums up what is known now.
func (d *drill) figures() Figures {
	stats := d.site.stats()
	f := Figures{Faults: len(d.struck), Relocations: stats.Placement.Relocations, Replayed: stats.Replays}
	for _, s := range d.struck {
		f.InFlight += s.underWay
	}
	for _, s := range d.ledger.sessions() {
		f.add(s.found())
	}
	var took []time.Duration
	for _, c := range slices.Concat(d.clients, d.readers) {
		took = append(took, c.took...)
		f.Failed += c.failed
	}
	f.Requests = len(took)
	f.time(took)
	return f
}

func (f *Figures) add(found findings) {
	if found.lost {
		f.Lost++
	}
	if found.resurrected {
		f.Resurrected++
	}
	f.LostUpdates += found.lostUpdates
	f.Doubled += found.doubled
}

func (f *Figures) time(took []time.Duration) {
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	at := func(part float64) float64 {
		i := int(math.Ceil(part*float64(len(took)))) - 1
		return float64(took[i].Microseconds()) / 1000
	}
	f.P50, f.P99, f.Max = at(0.50), at(0.99), at(1)
}

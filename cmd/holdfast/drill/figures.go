package drill

import (
	"math"
	"slices"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/ledger"
)

// Figures are what came of a drill, in counts and milliseconds.
type Figures struct {
	Requests    int     `json:"requests"`
	Failed      int     `json:"failed"`             // refused, or of unknown outcome
	Lost        int     `json:"lost_sessions"`      // gone without a logout
	LostUpdates int64   `json:"lost_updates"`       // acknowledged changes that a later answer did not show
	Doubled     int64   `json:"doubled"`            // increments that happened twice, or after they were refused
	UnsentLost  int64   `json:"unsent_lost"`        // acknowledged changes that only a dead server had, in sticky_async
	Unsent      int     `json:"unsent_at_kill"`     // sessions with such changes, as dead servers counted them
	Losers      int     `json:"unsent_lost_by"`     // sessions that lost some of them
	Resurrected int     `json:"resurrected"`        // sessions served after their logout was acknowledged
	Faults      int     `json:"faults"`             // that struck
	InFlight    int64   `json:"in_flight_at_fault"` // requests under way when they did, all together
	Takeovers   uint64  `json:"takeovers"`          // sessions that a server went on with that another had had, in sticky modes
	Relocations uint64  `json:"relocations"`        // sessions that got other nodes
	Replayed    uint64  `json:"conflicts_replayed"` // changes applied again to the session of a faster request
	P50         float64 `json:"p50_ms"`             // of the time that a request took, with what the app does in it
	P99         float64 `json:"p99_ms"`
	Max         float64 `json:"max_ms"`
}

// figures sums up what is known now.
func (d *drill) figures() Figures {
	stats := d.site.stats()
	f := Figures{
		Faults: len(d.struck), Unsent: d.unsent,
		Relocations: stats.Placement.Relocations, Replayed: stats.Replays, Takeovers: stats.Local.TakeOvers,
	}
	for _, s := range d.struck {
		f.InFlight += s.underWay
	}
	for _, s := range d.ledger.Sessions() {
		f.find(s.Found())
	}
	for _, c := range d.allClients() {
		f.Failed += c.failed
	}
	took := d.took()
	f.Requests = len(took)
	f.time(took)
	return f
}

func (d *drill) allClients() []*client { return slices.Concat(d.clients, d.readers) }

// took is how long each request did.
func (d *drill) took() (all []time.Duration) {
	for _, c := range d.allClients() {
		all = append(all, c.took...)
	}
	return all
}

func (f *Figures) find(found ledger.Findings) {
	if found.Lost {
		f.Lost++
	}
	if found.Resurrected {
		f.Resurrected++
	}
	if found.UnsentLost > 0 {
		f.Losers++
	}
	f.UnsentLost += found.UnsentLost
	f.LostUpdates += found.LostUpdates
	f.Doubled += found.Doubled
}

// add adds the counts of another mode.
func (f *Figures) add(other Figures) {
	f.Requests += other.Requests
	f.Failed += other.Failed
	f.Lost += other.Lost
	f.LostUpdates += other.LostUpdates
	f.Doubled += other.Doubled
	f.UnsentLost += other.UnsentLost
	f.Unsent += other.Unsent
	f.Losers += other.Losers
	f.Resurrected += other.Resurrected
	f.Faults += other.Faults
	f.InFlight += other.InFlight
	f.Takeovers += other.Takeovers
	f.Relocations += other.Relocations
	f.Replayed += other.Replayed
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

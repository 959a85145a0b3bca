package sticky

import (
	"sync"
	"sync/atomic"
	"time"
)

// Stats tell of the sessions in this server's memory. Unsent and OldestUnsent are
// the loss budget: what is lost if this server dies now.
type Stats struct {
	Sessions     int64         `json:"sessions"`      // in memory
	Bytes        int64         `json:"bytes"`         // that they take, roughly
	Unsent       int           `json:"unsent"`        // sessions with changes that are on no node
	OldestUnsent time.Duration `json:"oldest_unsent"` // how long the oldest such change waits, in nanoseconds
	Away         bool          `json:"away"`          // no node answers: changes are kept here

	Sent      uint64 `json:"sent"`       // changes sent behind their requests
	Dropped   uint64 `json:"dropped"`    // changes that could not be sent: the session had ended or changed hands, or was too large
	Degraded  uint64 `json:"degraded"`   // changes that stayed here because no node answered
	TakeOvers uint64 `json:"take_overs"` // sessions that another server had last, or nobody knew
	Flips     uint64 `json:"flips"`      // those among them that were in memory here: the balancer is not sticky
	Swapped   uint64 `json:"swapped"`    // sessions that left memory
	Resent    uint64 `json:"resent"`     // sessions that a node had lost
	Revived   uint64 `json:"revived"`    // those among them that all nodes had lost
}

type counters struct {
	sessions, bytes          atomic.Int64
	sent, dropped, degraded  atomic.Uint64
	takeOvers, flips         atomic.Uint64
	swapped, resent, revived atomic.Uint64
}

// Stats returns the counts so far.
func (s *Sessions) Stats() Stats {
	n := &s.counts
	stats := Stats{
		Sessions: n.sessions.Load(), Bytes: n.bytes.Load(), Unsent: s.queue.size(), Away: s.away(),
		Sent: n.sent.Load(), Dropped: n.dropped.Load(), Degraded: n.degraded.Load(),
		TakeOvers: n.takeOvers.Load(), Flips: n.flips.Load(),
		Swapped: n.swapped.Load(), Resent: n.resent.Load(), Revived: n.revived.Load(),
	}
	if oldest := s.queue.oldest(); !oldest.IsZero() {
		stats.OldestUnsent = time.Since(oldest)
	}
	return stats
}

// flips notice a balancer that is not sticky: sessions come back to a server that
// had them, after another one did. A server's death moves each session once, and
// brings none back.
type flips struct {
	mu    sync.Mutex
	began time.Time // of the minute that is counted; guarded by mu
	count int       // guarded by mu
	told  time.Time // guarded by mu
}

const (
	manyFlips = 20 // a minute
	tellEvery = 10 * time.Minute
)

func (s *Sessions) flipped() {
	s.counts.flips.Add(1)
	if s.flips.many(time.Now()) {
		s.options.Logger.Warn("the balancer is not sticky: sessions go to and fro between servers; have it send each to the server that the end of its cookie names",
			"flips", s.counts.flips.Load())
	}
}

// many reports, once in a while, that there are too many.
func (f *flips) many(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.began) > time.Minute {
		f.began, f.count = now, 0
	}
	if f.count++; f.count < manyFlips || now.Sub(f.told) < tellEvery {
		return false
	}
	f.told = now
	return true
}

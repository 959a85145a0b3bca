package sticky

import (
	"sync/atomic"
	"time"
)

// A pulse tells when this server has stood still: its process was stopped or starved, its
// machine suspended or moved. A balancer gives such a server up. Others may have its
// sessions by now, and have changed or ended them, and nothing in memory says so.
type pulse struct {
	felt    atomic.Int64 // when last, in nanoseconds since 1970: a machine's other clocks may sleep with it
	settles atomic.Int64 // until when what is in memory may be changed elsewhere, likewise
}

const (
	beatEvery = 250 * time.Millisecond
	stillness = time.Second // less than it takes a balancer to give a server up
)

// beat goes on until s is closed.
func (s *Sessions) beat() {
	for pause(s.ctx, beatEvery) == nil {
		s.settles(time.Now())
	}
}

// settles is until when all sessions are to be read before they are used, in nanoseconds
// since 1970. Whoever uses one asks, since it may be the first after a standstill.
func (s *Sessions) settles(now time.Time) int64 {
	p, at := &s.pulse, now.UnixNano()
	felt := p.felt.Load()
	switch still := time.Duration(at - felt); {
	case still > stillness:
		p.settles.Store(at + int64(s.settlingTime()))
		if p.felt.CompareAndSwap(felt, at) { // after that: who sees this one sees the other
			s.options.Logger.Warn("this server has stood still: others may have its sessions by now, and the nodes are asked about each",
				"still", still, "for", s.settlingTime())
		}
	case still > beatEvery/2, still < -stillness: // or the clock was set back
		p.felt.CompareAndSwap(felt, at)
	}
	return p.settles.Load()
}

package staging

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// places are the sessions that the clients share: one at a time in each place.
type places struct {
	mu   sync.Mutex
	now  []*session // nil where none could be begun; guarded by mu
	gone []*session // the latest whose logout was acknowledged; guarded by mu
}

func newPlaces() *places { return &places{now: make([]*session, sessionCount)} }

func (p *places) session(i int) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now[i]
}

// replace puts next in place i, unless somebody else has replaced old.
func (p *places) replace(i int, old, next *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now[i] == old && next != nil {
		p.now[i] = next
	}
}

// mostGone are those that somebody may still come back to.
const mostGone = 100

func (p *places) addGone(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = append(p.gone, s)
	if len(p.gone) > mostGone {
		p.gone = slices.Delete(p.gone, 0, 1)
	}
}

// anyGone is one that must be gone, or nil.
func (p *places) anyGone() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.gone) == 0 {
		return nil
	}
	return p.gone[rand.IntN(len(p.gone))]
}

// alive are those that must be there.
func (p *places) alive() (all []*session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.now {
		if s != nil && !s.isOver() {
			all = append(all, s)
		}
	}
	return all
}

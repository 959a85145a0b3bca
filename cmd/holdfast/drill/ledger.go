package drill

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// A ledger is what clients were promised, on all sessions that there ever were.
type ledger struct {
	underWay atomic.Int64 // requests

	mu      sync.Mutex
	all     []*session // guarded by mu
	ended   []*session // of them, those whose logout was acknowledged; guarded by mu
	forgave time.Time  // at the last loss; guarded by mu
	current [sessionCount]atomic.Pointer[session]
}

// open notes a new session in place i.
func (l *ledger) open(i int, s *session) {
	l.mu.Lock()
	l.all = append(l.all, s)
	s.mayBeGone = s.begun.Before(l.forgave)
	l.mu.Unlock()
	l.current[i].Store(s)
}

// forgive notes that what was acknowledged since then may be lost.
func (l *ledger) forgive(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgave = time.Now()
	for _, s := range l.all {
		s.forgive(since)
	}
}

// close notes that the logout of s was acknowledged.
func (l *ledger) close(s *session) {
	s.left()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = append(l.ended, s)
}

// anyEnded is a session that must be gone, or nil.
func (l *ledger) anyEnded() *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ended) == 0 {
		return nil
	}
	return l.ended[rand.IntN(len(l.ended))]
}

// endedBy yields every clients-th ended session from first on.
func (l *ledger) endedBy(first, clients int) (mine []*session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := first; i < len(l.ended); i += clients {
		mine = append(mine, l.ended[i])
	}
	return mine
}

func (l *ledger) sessions() []*session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[:len(l.all):len(l.all)]
}

func (l *ledger) size() int { return len(l.sessions()) }

func (l *ledger) unreadable() (n int) {
	for _, s := range l.sessions() {
		if s.found().unreadable {
			n++
		}
	}
	return n
}

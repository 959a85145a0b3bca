package ledger

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// A Ledger is what clients were promised, on all sessions that there ever were. In
// each of its places there is one at a time.
type Ledger struct {
	mu      sync.Mutex
	all     []*Session // guarded by mu
	ended   []*Session // of them, those whose logout was acknowledged; guarded by mu
	forgave time.Time  // at the last loss; guarded by mu
	current []atomic.Pointer[Session]
}

// New returns a ledger of so many places.
func New(places int) *Ledger { return &Ledger{current: make([]atomic.Pointer[Session], places)} }

// Open notes in place i the session that was begun at begun, with this cookie.
func (l *Ledger) Open(i int, cookie string, begun time.Time) {
	s := &Session{cookie: cookie, begun: begun}
	l.mu.Lock()
	l.all = append(l.all, s)
	s.mayBeGone = s.begun.Before(l.forgave)
	l.mu.Unlock()
	l.current[i].Store(s)
}

// Current is the session in place i, or nil.
func (l *Ledger) Current(i int) *Session { return l.current[i].Load() }

// Forgive notes that what was acknowledged since then may be lost.
func (l *Ledger) Forgive(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgave = time.Now()
	for _, s := range l.all {
		s.Forgive(since)
	}
}

// Close notes that the logout of s was acknowledged.
func (l *Ledger) Close(s *Session) {
	s.left()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = append(l.ended, s)
}

// AnyEnded is a session that must be gone, or nil.
func (l *Ledger) AnyEnded() *Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ended) == 0 {
		return nil
	}
	return l.ended[rand.IntN(len(l.ended))]
}

// EndedBy is every clients-th ended session from first on.
func (l *Ledger) EndedBy(first, clients int) (mine []*Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := first; i < len(l.ended); i += clients {
		mine = append(mine, l.ended[i])
	}
	return mine
}

// Sessions are all that there ever were.
func (l *Ledger) Sessions() []*Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[:len(l.all):len(l.all)]
}

// Unreadable counts those that could not be read when they were read on purpose.
func (l *Ledger) Unreadable() (n int) {
	for _, s := range l.Sessions() {
		if s.Found().Unreadable {
			n++
		}
	}
	return n
}

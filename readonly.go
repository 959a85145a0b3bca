package holdfast

import (
	"hash/maphash"
	"net/http"
	"sync"
)

// readOnly learns which requests never change a session: by method and path, since
// what one user's request does another's does, too. Whatever it forgets locks again.
type readOnly struct {
	seed maphash.Seed

	mu          sync.Mutex
	now, before map[uint64]uint8 // how often in a row nothing was changed, by hash; guarded by mu
}

const (
	enoughReads = 3       // make a path read-only
	changes     = 1 << 7  // of a path that has ever changed a session
	maxLearned  = 1 << 12 // in each of the two generations
)

func newReadOnly() *readOnly {
	return &readOnly{seed: maphash.MakeSeed(), now: make(map[uint64]uint8)}
}

// knows reports whether requests such as r never changed a session.
func (o *readOnly) knows(r *http.Request) bool {
	h := o.hash(r)
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.readsLocked(h) == enoughReads
}

// note learns from r, which has used a session.
func (o *readOnly) note(r *http.Request, changed bool) {
	h := o.hash(r)
	o.mu.Lock()
	defer o.mu.Unlock()
	reads := o.readsLocked(h)
	switch {
	case changed:
		reads = changes
	case reads < enoughReads:
		reads++
	}
	if len(o.now) >= maxLearned {
		o.before, o.now = o.now, make(map[uint64]uint8)
	}
	o.now[h] = reads
}

func (o *readOnly) readsLocked(h uint64) uint8 {
	if reads, ok := o.now[h]; ok {
		return reads
	}
	return o.before[h]
}

func (o *readOnly) hash(r *http.Request) uint64 {
	var h maphash.Hash
	h.SetSeed(o.seed)
	h.WriteString(r.Method)
	h.WriteByte(' ')
	h.WriteString(r.URL.Path)
	return h.Sum64()
}

// learn takes note of what the request of s has done.
func (m *Manager) learn(s *Session) {
	s.mu.Lock()
	judged, changed := s.lock.judged, s.lock.changed
	s.mu.Unlock()
	if judged {
		m.readOnly.note(s.req, changed)
	}
}

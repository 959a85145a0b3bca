package placement

import (
	"hash/maphash"
	"sync"
	"time"
)

// missing remembers for a moment which storage keys were looked for everywhere
// and not found, so that invented ids cost one lookup and not one per request.
// It is safe to remember: an id is never looked for before it was made, and
// never used again. In sticky mode, where a session can be stored again, it is not used.
type missing struct {
	seed maphash.Seed

	mu          sync.Mutex
	now, before map[uint64]struct{} // by hash; guarded by mu
	turned      time.Time           // when now was begun; guarded by mu
}

const (
	missingFor = 5 * time.Second // at least, and at most three times that
	maxMissing = 1 << 16         // of each of the two generations
)

func newMissing() *missing {
	return &missing{seed: maphash.MakeSeed(), now: map[uint64]struct{}{}, turned: time.Now()}
}

func (m *missing) add(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turnLocked()
	m.now[maphash.String(m.seed, key)] = struct{}{}
}

func (m *missing) has(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turnLocked()
	if len(m.now) == 0 && len(m.before) == 0 {
		return false
	}
	h := maphash.String(m.seed, key)
	if _, ok := m.now[h]; ok {
		return true
	}
	_, ok := m.before[h]
	return ok
}

// turnLocked begins a new generation when the present one is old or full.
func (m *missing) turnLocked() {
	age := time.Since(m.turned)
	if age < missingFor && len(m.now) < maxMissing {
		return
	}
	m.before = m.now
	if age >= 2*missingFor {
		m.before = nil
	}
	m.now, m.turned = make(map[uint64]struct{}), time.Now()
}

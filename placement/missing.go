package placement

import (
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/recent"
)

// missing remembers for a moment which storage keys were looked for everywhere
// and not found, so that invented ids cost one lookup and not one per request.
// It is safe to remember: an id is never looked for before it was made, and
// never used again. In sticky mode, where a session can be stored again, it is not used.
type missing struct {
	mu   sync.Mutex
	keys *recent.Map[string, struct{}] // guarded by mu
}

const (
	missingFor = 5 * time.Second // at least, and at most three times that
	maxMissing = 1 << 16         // of each of the two generations
)

func newMissing() *missing {
	return &missing{keys: recent.New[string, struct{}](maxMissing, missingFor)}
}

func (m *missing) add(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys.Put(key, struct{}{})
}

func (m *missing) has(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.keys.Get(key)
	return ok
}

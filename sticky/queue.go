package sticky

import (
	"sync"
	"time"
)

// A queue is the sessions with changes that were not sent, each once.
type queue struct {
	mu      sync.Mutex
	since   map[string]time.Time // of each one's oldest change, by storage key; guarded by mu
	order   []string             // keys for senders to take; may have some that are not in since; guarded by mu
	senders int                  // guarded by mu
	closed  bool                 // guarded by mu
}

const (
	maxSenders = 128 // enough to fill the pipelines of a few nodes
	sendPause  = 100 * time.Millisecond
)

func (q *queue) add(key string, since time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.since == nil {
		q.since = map[string]time.Time{}
	}
	if _, known := q.since[key]; !known {
		q.since[key] = since
		q.order = append(q.order, key)
	}
}

func (q *queue) remove(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.since, key)
}

// again puts key behind the others, if it still has something to send.
func (q *queue) again(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, known := q.since[key]; known {
		q.order = append(q.order, key)
	}
}

// next takes a key; if there is none, the sender that asks is done.
func (q *queue) next() (key string, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.order) > 0 && !q.closed {
		key, q.order = q.order[0], q.order[1:]
		if _, known := q.since[key]; known {
			return key, true
		}
	}
	q.senders--
	return "", false
}

// enlist reports whether one more sender is to begin.
func (q *queue) enlist(begin func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed && q.senders < maxSenders && q.senders < len(q.order) {
		q.senders++
		begin()
	}
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.since)
}

// oldest is when the oldest change was made that was not sent; zero: there is none.
func (q *queue) oldest() (oldest time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, since := range q.since {
		if oldest.IsZero() || since.Before(oldest) {
			oldest = since
		}
	}
	return oldest
}

package sticky

import (
	"context"
	"sync"
	"time"
)

// Ended are the sessions that this server has ended. Their tombstones are on the nodes;
// if those lose them, a server that had such a session before may still have an old
// copy, and would store it again.
type ended struct {
	mu    sync.Mutex
	until map[string]time.Time // how long that can happen, by storage key; guarded by mu
}

const maxEnded = 1 << 18

func (e *ended) note(key string, idle time.Duration) {
	if idle == 0 {
		idle = 24 * time.Hour
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.until == nil {
		e.until = map[string]time.Time{}
	}
	if len(e.until) < maxEnded {
		e.until[key] = time.Now().Add(idle)
	}
}

// left are those for which it can still happen; the others are forgotten.
func (e *ended) left() map[string]time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, left := time.Now(), map[string]time.Duration{}
	for key, until := range e.until {
		if left[key] = until.Sub(now); left[key] <= 0 {
			delete(e.until, key)
			delete(left, key)
		}
	}
	return left
}

// buryAgain brings the tombstones of what has ended to nodes that may have lost them.
func (s *Sessions) buryAgain() {
	for key, left := range s.ended.left() {
		ctx, cancel := context.WithTimeout(s.ctx, s.options.Timeout)
		s.noteBelow(s.below.Bury(ctx, key, left))
		cancel()
		if pause(s.ctx, resendPace) != nil {
			return
		}
	}
}

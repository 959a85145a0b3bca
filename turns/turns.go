// Package turns lets callers that want the same key go one after the other, in the
// order in which they came.
package turns

import (
	"context"
	"sync"
)

// Turns are the turns of all keys. The zero value is ready for use.
type Turns struct {
	mu   sync.Mutex
	keys map[string]*turn // guarded by mu
}

type turn struct {
	free    chan struct{} // holds one value while nobody has the turn
	waiting int           // and having; guarded by Turns.mu
}

// Take waits for the turn at key until ctx ends, and reports whether it came.
// Whoever got it gives it back.
func (t *Turns) Take(ctx context.Context, key string) bool {
	t.mu.Lock()
	if t.keys == nil {
		t.keys = map[string]*turn{}
	}
	mine := t.keys[key]
	if mine == nil {
		mine = &turn{free: make(chan struct{}, 1)}
		mine.free <- struct{}{}
		t.keys[key] = mine
	}
	mine.waiting++
	t.mu.Unlock()
	select {
	case <-mine.free:
		return true
	case <-ctx.Done():
		t.leave(key, mine)
		return false
	}
}

// Give ends the turn at key.
func (t *Turns) Give(key string) {
	t.mu.Lock()
	mine := t.keys[key]
	t.mu.Unlock()
	mine.free <- struct{}{}
	t.leave(key, mine)
}

func (t *Turns) leave(key string, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.waiting--; mine.waiting == 0 {
		delete(t.keys, key)
	}
}

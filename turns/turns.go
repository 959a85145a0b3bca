// Package turns lets callers that want the same key go one after the other, in the
// order in which they came.
package turns

import (
	"context"
	"slices"
	"sync"
)

// Turns are the turns of all keys. The zero value is ready for use.
type Turns struct {
	mu   sync.Mutex
	keys map[string][]waiter // of each turn that is taken, who waits for it; guarded by mu
}

// A waiter is closed when its turn has come.
type waiter chan struct{}

// Take waits for the turn at key until ctx ends, and reports whether it came.
// Whoever got it gives it back.
func (t *Turns) Take(ctx context.Context, key string) bool {
	mine := t.join(key)
	if mine == nil {
		return true
	}
	select {
	case <-mine:
		return true
	case <-ctx.Done():
		t.leave(key, mine)
		return false
	}
}

// join takes the turn if it is free, and returns nil; else it waits behind the others.
func (t *Turns) join(key string) waiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	waiting, taken := t.keys[key]
	if !taken {
		if t.keys == nil {
			t.keys = map[string][]waiter{}
		}
		t.keys[key] = nil
		return nil
	}
	mine := make(waiter)
	t.keys[key] = append(waiting, mine)
	return mine
}

// Give ends the turn at key.
func (t *Turns) Give(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.giveLocked(key)
}

func (t *Turns) giveLocked(key string) {
	waiting := t.keys[key]
	if len(waiting) == 0 {
		delete(t.keys, key)
		return
	}
	t.keys[key] = waiting[1:]
	close(waiting[0])
}

// leave gives up waiting; if the turn has come meanwhile it is the next one's.
func (t *Turns) leave(key string, mine waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.keys[key], mine); i >= 0 {
		t.keys[key] = slices.Delete(t.keys[key], i, i+1)
		return
	}
	t.giveLocked(key)
}

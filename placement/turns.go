package placement

import (
	"context"
	"sync"
)

// turns lets those commits of this server that met a conflict take turns, each
// session on its own: they would only refuse each other again.
type turns struct {
	mu   sync.Mutex
	keys map[string]*turn // guarded by mu
}

type turn struct {
	free    chan struct{} // holds one value while nobody has the turn
	waiting int           // and having; guarded by turns.mu
}

// take waits for the turn at key until ctx ends, and reports whether it came.
// Whoever got it gives it back.
func (t *turns) take(ctx context.Context, key string) bool {
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

func (t *turns) give(key string) {
	t.mu.Lock()
	mine := t.keys[key]
	t.mu.Unlock()
	mine.free <- struct{}{}
	t.leave(key, mine)
}

func (t *turns) leave(key string, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.waiting--; mine.waiting == 0 {
		delete(t.keys, key)
	}
}

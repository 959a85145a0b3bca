package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A barrier is where requests wait while something is done that none may see.
type barrier struct {
	mu       sync.Mutex
	underWay int           // requests; guarded by mu
	held     chan struct{} // closed when requests may go on; nil: they may; guarded by mu
	idle     chan struct{} // closed when none is under way; nil: nobody waits for that; guarded by mu
}

const holdTimeout = 5 * time.Second

var errNotAlone = errors.New("the settings are being changed already")

// hold lets no request in until do has returned, and does it when none is under way.
func (b *barrier) hold(do func() error) error {
	b.mu.Lock()
	if b.held != nil {
		b.mu.Unlock()
		return errNotAlone
	}
	b.held, b.idle = make(chan struct{}), make(chan struct{})
	idle := b.idle
	b.leaveLocked(0)
	b.mu.Unlock()
	defer b.letGo()
	select {
	case <-idle:
	case <-time.After(answerTimeout): // it has no answer, whatever is done
	}
	return do()
}

func (b *barrier) letGo() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.held)
	b.held, b.idle = nil, nil
}

// enter waits while requests are held. Who was let in leaves.
func (b *barrier) enter(ctx context.Context) error {
	for {
		b.mu.Lock()
		held := b.held
		if held == nil {
			b.underWay++
		}
		b.mu.Unlock()
		if held == nil {
			return nil
		}
		select {
		case <-held:
		case <-time.After(holdTimeout):
			return fmt.Errorf("%w: the settings are being changed", errNoServer)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *barrier) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leaveLocked(1)
}

func (b *barrier) leaveLocked(n int) {
	if b.underWay -= n; b.underWay == 0 && b.idle != nil {
		close(b.idle)
		b.idle = nil
	}
}

package placement

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// behind runs what nobody waits for: a bounded number of jobs at once, one for
// each storage key.
type behind struct {
	timeout               time.Duration
	ctx                   context.Context // governs the jobs
	cancel                context.CancelFunc
	jobs                  sync.WaitGroup
	begun, failed, putOff atomic.Uint64

	mu      sync.Mutex
	running map[string]struct{} // guarded by mu; nil after stop
}

// maxBehind bounds the jobs under way: enough for a server's whole traffic to
// extend lives, few enough to mean nothing when a node hangs.
const maxBehind = 256

func (b *behind) start(timeout time.Duration) {
	b.timeout = timeout
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.running = make(map[string]struct{})
}

// run starts job for key, unless one is under way or too many are.
func (b *behind) run(key string, job func(context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.admitLocked(key) {
		b.begun.Add(1)
		b.jobs.Go(func() { b.do(key, job) }) // before stop can begin to wait
	}
}

func (b *behind) do(key string, job func(context.Context) error) {
	defer b.done(key)
	ctx, cancel := context.WithTimeout(b.ctx, b.timeout)
	defer cancel()
	if err := job(ctx); err != nil {
		b.failed.Add(1)
	}
}

// keep runs job over and over while there is more to do, in one goroutine for
// what has that name.
func (b *behind) keep(name string, job func(context.Context), more func() bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running == nil || b.busyLocked(name) {
		return
	}
	b.running[name] = struct{}{}
	b.jobs.Go(func() {
		for b.goesOn(name, more) {
			job(b.ctx)
		}
	})
}

// goesOn decides under the lock, so that more work which comes now either is seen
// here or finds no goroutine any more.
func (b *behind) goesOn(name string, more func() bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running != nil && b.ctx.Err() == nil && more() {
		return true
	}
	delete(b.running, name)
	return false
}

func (b *behind) busyLocked(name string) bool {
	_, busy := b.running[name]
	return busy
}

func (b *behind) admitLocked(key string) bool {
	if b.running == nil || b.busyLocked(key) {
		return false
	}
	if len(b.running) >= maxBehind {
		b.putOff.Add(1)
		return false
	}
	b.running[key] = struct{}{}
	return true
}

func (b *behind) done(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.running, key)
}

// stop ends the jobs and waits for them. What they did not do, a later read does.
func (b *behind) stop() {
	b.mu.Lock()
	b.running = nil
	b.mu.Unlock()
	b.cancel()
	b.jobs.Wait()
}

package sticky

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// An outage is a time in which no node answers. What is in memory is used meanwhile.
type outage struct {
	away atomic.Bool // no node answers, for certain

	mu       sync.Mutex
	decision chan struct{} // closed when what is being found out is known; nil: nothing is; guarded by mu
}

func (s *Sessions) away() bool { return s.outage.away.Load() }

// confirmAway finds out if really no node answers, for a request that had no answer. It
// may have been this server that hung: then others have its sessions by now, and nothing
// may be done without the nodes. If ctx ends before that is known, it is for the next
// request.
func (s *Sessions) confirmAway(ctx context.Context) bool {
	if s.options.RefuseAway {
		return false
	}
	select {
	case <-s.deciding():
	case <-ctx.Done():
	}
	return s.away()
}

// deciding is closed when it is known whether no node answers.
func (s *Sessions) deciding() <-chan struct{} {
	o := &s.outage
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.decision != nil {
		return o.decision
	}
	decision := make(chan struct{})
	if s.start(func() { s.decide(decision) }) {
		o.decision = decision
	} else {
		close(decision)
	}
	return decision
}

func (s *Sessions) decide(decision chan struct{}) {
	defer close(decision)
	o := &s.outage
	if !s.away() && s.nobodyAnswers() {
		o.away.Store(true)
		s.options.Logger.Warn("no cache node answers: going on with the sessions in memory")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.decision = nil
}

// confirmWithin is how long nodes have to show that they are there, to a request that
// has waited for them in vain already.
const confirmWithin = 250 * time.Millisecond

// nobodyAnswers asks all nodes. Silence counts only if this server was awake meanwhile.
func (s *Sessions) nobodyAnswers() bool {
	ctx, cancel := context.WithTimeout(s.ctx, confirmWithin)
	defer cancel()
	began := time.Now()
	return !s.below.Answers(ctx) && s.ctx.Err() == nil && time.Since(began) < 2*confirmWithin
}

// noteBelow looks at what came of asking the nodes: after an outage they may be empty.
func (s *Sessions) noteBelow(err error) {
	if errors.Is(err, store.ErrUnavailable) {
		if !errors.Is(err, context.Canceled) {
			s.down.Store(true)
		}
		return
	}
	s.answered()
}

// answered notes that the nodes can be asked.
func (s *Sessions) answered() {
	back := s.away() && s.outage.away.Swap(false)
	if back {
		s.options.Logger.Info("cache nodes answer again: sending what they have missed")
	}
	if s.down.Load() && s.down.Swap(false) || back {
		s.suspectLoss()
	}
}

// watch looks after an item of this server's on each node. Where it is missing, all
// that was there is. Nodes that do not answer are noticed by it too, while requests
// are served from memory.
func (s *Sessions) watch() {
	canary := "watch-" + rand.Text()
	for first := true; s.ctx.Err() == nil; first = false {
		ctx, cancel := context.WithTimeout(s.ctx, s.options.Timeout)
		emptied, answered := s.below.Emptied(ctx, canary)
		cancel()
		if !first && len(emptied) > 0 {
			s.options.Logger.Warn("nodes have lost what they had: sending the sessions in memory again", "nodes", emptied)
			s.suspectLoss()
		}
		if answered {
			s.answered()
		}
		_ = pause(s.ctx, watchEvery)
	}
}

const watchEvery = time.Second

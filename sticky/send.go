package sticky

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/deadline"
	"github.com/holdfast-sessions/holdfast/store"
)

// sendBehind has a sender at work, or one more.
func (s *Sessions) sendBehind() {
	s.queue.enlist(func() { s.working.Go(s.sendQueued) })
}

// sendQueued sends until nothing is left to send.
func (s *Sessions) sendQueued() {
	var t term
	defer t.end()
	for {
		key, ok := s.queue.next()
		if !ok {
			return
		}
		if err := s.sendOne(t.with(s.ctx, s.options.Timeout), key); errors.Is(err, store.ErrUnavailable) {
			_ = pause(s.ctx, sendPause)
		}
		s.queue.again(key)
	}
}

// A term is a context for one sending after the other.
type term struct {
	ctx   *deadline.Context // nil: none yet
	until time.Time
}

// with is a context that lasts at least so long, and at most twice.
func (t *term) with(parent context.Context, atLeast time.Duration) context.Context {
	if now := time.Now(); t.until.Sub(now) < atLeast {
		t.end()
		t.ctx, t.until = new(deadline.Context), now.Add(2*atLeast)
		t.ctx.Begin(parent, t.until)
	}
	return t.ctx
}

func (t *term) end() {
	if t.ctx != nil {
		t.ctx.End()
	}
}

func (s *Sessions) sendOne(ctx context.Context, key string) error {
	if !s.turns.Take(ctx, key) {
		return tookTooLong(ctx)
	}
	defer s.turns.Give(key)
	l := s.find(key)
	if l == nil {
		s.queue.remove(key)
		return nil
	}
	return s.sendTurned(ctx, key, l)
}

// sendTurned sends what l had not sent when it was called: what was on its way, and
// what waited. What is changed meanwhile is for the next one, lest nobody else gets
// the turn at key, which whoever calls it has.
func (s *Sessions) sendTurned(ctx context.Context, key string, l *session) error {
	for batches := 0; batches < 2; {
		b, base := s.nextBatch(key, l)
		if b == nil {
			return nil
		}
		v, err := s.sendBatch(ctx, key, base, b)
		s.noteBelow(err)
		switch {
		case err == nil:
			s.sent(ctx, key, l, b, v)
			s.settleIfMet(v.Key, base, v.Record)
			batches++
		case errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrForgotten): // perhaps it was stored: only the same change may be sent again
			l.forgetPlace()
			return err
		case err == store.ErrNotFound && !l.timeOver():
			l.unstored(b)
		case errors.Is(err, store.ErrNotFound) || over(err):
			s.drop(key, l)
			return err
		default:
			s.counts.dropped.Add(uint64(len(b.runs)))
			s.options.Logger.Error("changes of a session are given up: they cannot be stored, or nobody can tell any more whether they were", "error", err)
			s.sentNothing(key, l)
			return err
		}
	}
	return nil
}

// nextBatch is what to send now, and the state below that it was made on.
func (s *Sessions) nextBatch(key string, l *session) (*batch, *store.View) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone || !l.unsentLocked() {
		return nil, nil
	}
	if l.hot.sending == nil {
		l.hot.sending, l.hot.waiting = l.hot.waiting, nil
	}
	base := l.belowLocked(key)
	if base != nil && s.hurry.Load() == 0 && time.Now().UnixNano()-l.heard > int64(lately) {
		base.Seen = nil // without its place it is read first
	}
	return l.hot.sending, base
}

// lately is for how long after the nodes have said what they have of a session a change,
// which may have been answered, is sent without a READ. If other servers have made more
// changes since than a record remembers (record.MaxCommits), and the outcome of a write on
// the older state is lost, nobody can tell whether it is among those: few browsers make
// as many in so short a time.
const lately = 500 * time.Millisecond

func (s *Sessions) sendBatch(ctx context.Context, key string, base *store.View, b *batch) (*store.View, error) {
	if base == nil {
		return s.below.Create(ctx, key, &b.change)
	}
	return s.below.Commit(ctx, "", base, &b.change)
}

// sent takes v, which b has made.
func (s *Sessions) sent(ctx context.Context, key string, l *session, b *batch, v *store.View) {
	s.counts.sent.Add(uint64(len(b.runs)))
	s.counts.dropped.Add(uint64(b.refused))
	l.mu.Lock()
	l.hot.sending = nil
	l.mu.Unlock()
	if v.Key != key || v.Aliased { // it was renewed: it lies elsewhere now
		s.leaveTo(key, l)
		s.doubtTurned(ctx, v.Key)
		return
	}
	s.take(v, s.withPrivate(v.Record, b.after), !b.made(v.Record))
	l.mu.Lock()
	defer l.mu.Unlock()
	s.settleQueueLocked(key, l)
}

// settleQueueLocked takes l out of the queue when it has sent all.
func (s *Sessions) settleQueueLocked(key string, l *session) {
	if !l.unsentLocked() {
		s.queue.remove(key)
	}
}

// sentNothing gives up what was to be sent: the session is as the nodes have it. What
// was changed since is made again on that.
func (s *Sessions) sentNothing(key string, l *session) {
	doubt(l)
	l.mu.Lock()
	l.hot.sending = nil
	if l.hot.waiting != nil {
		l.hot.waiting.base = nil
	}
	nothing := l.hot.stored == nil && l.hot.waiting == nil
	s.settleQueueLocked(key, l)
	l.mu.Unlock()
	if nothing {
		s.drop(key, l)
	}
}

// timeOver reports whether nobody has used l for so long that it has ended.
func (l *session) timeOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return expired(l.hot.newest, l.used, time.Now())
}

// unstored makes b the creation of a session that the nodes have lost.
func (l *session) unstored(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.base, l.hot.stored, l.seen = nil, nil, nil
}

// forgetPlace has the next change read first.
func (l *session) forgetPlace() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = nil
}

// over reports whether err says that the session has ended, or is out of reach.
func over(err error) bool {
	return errors.Is(err, store.ErrDestroyed) || errors.Is(err, store.ErrRenewed) ||
		errors.Is(err, store.ErrNotFound) && err != store.ErrNotFound
}

// Flush sends what was not sent yet, and tells progress each second how many sessions
// are left. An error says that some are, when ctx ended.
func (s *Sessions) Flush(ctx context.Context, progress func(left int)) error {
	s.hurry.Add(1)
	defer s.hurry.Add(-1)
	for said := time.Now(); ; {
		left := s.queue.size()
		if left == 0 {
			return nil
		}
		if time.Since(said) >= time.Second {
			progress(left)
			said = time.Now()
		}
		for range maxSenders {
			s.sendBehind()
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("the changes of %d sessions are on no node: %w", s.queue.size(), err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

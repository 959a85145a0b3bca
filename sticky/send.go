package sticky

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
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

// sendBehind has a sender at work, or one more.
func (s *Sessions) sendBehind() {
	s.queue.enlist(func() { s.working.Go(s.sendQueued) })
}

// sendQueued sends until nothing is left to send.
func (s *Sessions) sendQueued() {
	for {
		key, ok := s.queue.next()
		if !ok {
			return
		}
		if err := s.sendOne(key); errors.Is(err, store.ErrUnavailable) {
			pause(s.ctx, sendPause)
		}
		s.queue.again(key)
	}
}

func (s *Sessions) sendOne(key string) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.options.Timeout)
	defer cancel()
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

// sendTurned sends what l has not sent, until nothing is left. Whoever calls it has
// the turn at key.
func (s *Sessions) sendTurned(ctx context.Context, key string, l *session) error {
	for {
		b, base := s.nextBatch(key, l)
		if b == nil {
			return nil
		}
		v, err := s.sendBatch(ctx, key, base, b)
		s.noteBelow(err)
		switch {
		case err == nil:
			s.sent(ctx, key, l, b, v)
		case errors.Is(err, store.ErrUnavailable) && !s.untold(ctx, key, b): // perhaps it was stored: only the same change may be sent again
			l.forgetPlace()
			return err
		case err == store.ErrNotFound:
			l.unstored(b)
		case over(err):
			s.counts.dropped.Add(uint64(len(b.runs)))
			s.drop(key, l)
			return err
		default:
			s.counts.dropped.Add(uint64(len(b.runs)))
			s.options.Logger.Error("changes of a session cannot be stored and are lost: make its attributes smaller", "error", err)
			s.sentNothing(key, l)
			return err
		}
	}
}

// untold reports whether b may have been stored, and nobody can tell any more: its
// commit id would be forgotten by now. Then it is not sent again, lest it happen twice.
func (s *Sessions) untold(ctx context.Context, key string, b *batch) bool {
	if !b.change.Uncertain {
		return false
	}
	v, err := s.below.LoadKey(ctx, key, "")
	return err == nil && v.Key == key && !v.Record.HasCommit(b.change.Commit) &&
		v.Record.Revision >= b.change.UncertainSince+record.MaxCommits
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
	return l.hot.sending, l.belowLocked(key)
}

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
	for said := time.Now(); ; {
		left := s.queue.size()
		if left == 0 {
			return nil
		}
		if time.Since(said) >= time.Second {
			progress(left)
			said = time.Now()
		}
		s.sendBehind()
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

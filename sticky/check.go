package sticky

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// checkEvery is how often the nodes are asked about a session in use, behind its
// requests: that extends its life there, and finds out if another server has changed
// or ended it.
func checkEvery(r *record.Record) time.Duration {
	if r.IdleTimeout > 0 {
		return min(r.IdleTimeout/16, maxCheckEvery)
	}
	return maxCheckEvery
}

const (
	maxCheckEvery = 10 * time.Second
	maxChecks     = 256 // at once; who comes later is checked with its next use
)

func (s *Sessions) checkBehind(key string) {
	select {
	case s.checks <- struct{}{}:
	default:
		s.find(key).unchecked()
		return
	}
	if !s.start(func() { s.checkUntilKnown(key) }) {
		<-s.checks
	}
}

// checkUntilKnown checks, and goes on where a node did not answer: the nodes must learn
// of the last use before they take the session's time for over. If none answers they
// are told when they are back. Whoever calls it has put a value into s.checks.
func (s *Sessions) checkUntilKnown(key string) {
	began := s.find(key).lastCheck()
	for wait := firstRecheck; ; wait = min(2*wait, lastRecheck) {
		err := s.check(key)
		<-s.checks
		if !errors.Is(err, store.ErrUnavailable) || s.away() || pause(s.ctx, wait) != nil {
			return
		}
		if s.find(key).lastCheck() != began {
			return // the next use has its own
		}
		select {
		case s.checks <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
	}
}

const (
	firstRecheck = 100 * time.Millisecond
	lastRecheck  = 5 * time.Second
)

// lastCheck is when the nodes were last asked about l, which may be nil.
func (l *session) lastCheck() int64 {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.checked
}

// unchecked has a use of l, which may be nil, check it soon.
func (l *session) unchecked() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checked = min(l.checked, l.settles)
}

// start runs job behind, unless s is closed.
func (s *Sessions) start(job func()) bool {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	if !s.queue.closed {
		s.working.Go(job)
	}
	return !s.queue.closed
}

// check asks the nodes about a session in memory, and tells them when it was used.
func (s *Sessions) check(key string) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.options.Timeout)
	defer cancel()
	if !s.turns.Take(ctx, key) {
		return tookTooLong(ctx)
	}
	defer s.turns.Give(key)
	l := s.find(key)
	if l == nil {
		return nil
	}
	if err := s.sendTurned(ctx, key, l); err != nil {
		return err
	}
	stored := l.peekStored(s, key)
	if stored == nil {
		return nil
	}
	v, err := s.below.LookAt(ctx, key, homeOf(stored), l.lastUse())
	s.noteBelow(err)
	s.compare(ctx, key, l, stored, v, err)
	return err
}

// compare takes what the nodes say of l, which they had as stored.
func (s *Sessions) compare(ctx context.Context, key string, l *session, stored *record.Record, v *store.View, err error) {
	switch {
	case errors.Is(err, store.ErrUnavailable):
	case err == store.ErrNotFound:
		if s.revive(ctx, key, l) == nil {
			s.counts.resent.Add(1)
			s.suspectLoss()
		}
	case err != nil && errors.Is(err, store.ErrNotFound):
		s.drop(key, l)
	case err != nil: // unreadable: whoever uses it is told
		doubt(l)
	case v.Key != key:
		s.leaveTo(key, l)
	case v.Record.Behind(stored):
		_ = s.reinstate(ctx, key, l)
	case !v.Record.SameState(stored):
		s.take(v, s.withPrivate(v.Record, l.peek(s, key)), true)
	default:
		s.stands(l, v)
	}
}

// stands notes where l is found on the nodes. If one that answers lacks it, it may have
// been emptied, and then it lacks more than this one.
func (s *Sessions) stands(l *session, v *store.View) {
	seen, _ := s.below.Standing(v)
	l.mu.Lock()
	now := time.Now().UnixNano()
	l.seen, l.checked, l.heard = seen, now, now
	l.mu.Unlock()
	if s.below.Lacks(v) {
		s.counts.resent.Add(1)
		s.suspectLoss()
	}
}

func (l *session) peekStored(s *Sessions, key string) *record.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone || s.unpackLocked(key, l) != nil {
		return nil
	}
	return l.hot.stored
}

func homeOf(r *record.Record) string {
	if len(r.Members) == 0 {
		return ""
	}
	return r.Members[0]
}

// revive stores l again, of which the nodes know nothing any more. Whoever calls it
// has the turn at key.
func (s *Sessions) revive(ctx context.Context, key string, l *session) error {
	if !s.reviving(key, l) {
		return store.ErrNotFound
	}
	s.counts.revived.Add(1)
	err := s.sendTurned(ctx, key, l)
	s.sendBehind()
	return err
}

// reinstate stores l in the place of an older copy of it, which another server has
// brought back after the nodes had lost it. Whoever calls it has the turn at key.
func (s *Sessions) reinstate(ctx context.Context, key string, l *session) error {
	if !s.queued(key, l, func(h *hot) {
		if h.waiting == nil {
			h.waiting = s.newBatch(h.stored)
			h.waiting.after = usedAt(h.newest, l.used)
			h.waiting.change.Unused = true
		}
	}) {
		return store.ErrNotFound
	}
	err := s.sendTurned(ctx, key, l)
	s.sendBehind()
	return err
}

// queued has l, which lives, be sent again after prepare.
func (s *Sessions) queued(key string, l *session, prepare func(*hot)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !s.livesLocked(key, l) {
		return false
	}
	prepare(l.hot)
	s.queue.add(key, time.Now())
	return true
}

func (s *Sessions) reviving(key string, l *session) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !s.livesLocked(key, l) {
		return false
	}
	if !l.unsentLocked() {
		l.hot.waiting = s.newBatch(nil)
		l.hot.waiting.after = usedAt(l.hot.newest, l.used)
		l.hot.waiting.change.Unused = true
	}
	if l.hot.waiting != nil {
		l.hot.waiting.base = nil
	}
	l.hot.stored, l.seen = nil, nil
	l.settles = 0 // whoever had it before has nothing more to say
	s.queue.add(key, time.Now())
	return true
}

// usedAt is r, last used at used: to store it again is no use.
func usedAt(r *record.Record, used int64) *record.Record {
	last := r.Clone()
	last.LastAccessed = time.Unix(0, used)
	return last
}

// Returned is for a node that is back: it may be empty.
func (s *Sessions) Returned(string) { s.suspectLoss() }

// suspectLoss has all sessions checked.
func (s *Sessions) suspectLoss() {
	select {
	case s.resend <- struct{}{}:
	default:
	}
}

const (
	resendPace  = 500 * time.Microsecond // for each session, so that requests come first
	resendPause = 5 * time.Second        // between two rounds
)

// resendAll checks all sessions, one after the other, when some node may have lost
// what it had.
func (s *Sessions) resendAll() {
	for {
		select {
		case <-s.resend:
		case <-s.ctx.Done():
			return
		}
		s.buryAgain()
		for i := range s.shards {
			for _, key := range s.shards[i].keys() {
				_ = s.check(key)
				if pause(s.ctx, resendPace) != nil {
					return
				}
			}
		}
		if pause(s.ctx, resendPause) != nil {
			return
		}
	}
}

func (at *shard) keys() []string {
	at.mu.Lock()
	defer at.mu.Unlock()
	keys := make([]string, 0, len(at.sessions))
	for key := range at.sessions {
		keys = append(keys, key)
	}
	return keys
}

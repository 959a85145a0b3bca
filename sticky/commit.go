package sticky

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// Commit is that of store.Backend. In async mode it returns once the change is made
// in memory, but for a change that is Sync or gives a new id.
func (s *Sessions) Commit(ctx context.Context, id string, base *store.View, ch *store.Change) (*store.View, error) {
	v, err := s.commit(ctx, id, base, ch)
	return v, about(ch, err)
}

// about is err as it concerns ch: it may come from changes that had to be sent before,
// or say nothing of what an earlier try of ch has left open.
func about(ch *store.Change, err error) error {
	unknown := errors.Is(err, store.ErrUnknownOutcome)
	switch {
	case ch.Uncertain() && !unknown && errors.Is(err, store.ErrUnavailable):
		return fmt.Errorf("%w (%w)", store.ErrUnknownOutcome, err)
	case !ch.Uncertain() && unknown:
		return fmt.Errorf("%w: %v", store.ErrUnavailable, err)
	}
	return err
}

func (s *Sessions) commit(ctx context.Context, id string, base *store.View, ch *store.Change) (*store.View, error) {
	switch {
	case base == nil && s.full():
		return nil, fmt.Errorf("%w: this server has %d sessions", store.ErrTooMany, s.options.MaxSessions)
	case base == nil:
		return s.commitNow(ctx, id, s.below.Key(id), nil, ch)
	case base.Aliased:
		return s.commitRenewed(ctx, id, base, ch)
	}
	if v, err := s.Keep(base, ch); v != nil || err != nil {
		return v, err
	}
	return s.commitNow(ctx, id, base.Key, base, ch) // of a former request's commit it is another key than id's
}

// Keep is Commit where it is enough that ch happens in memory, to be sent later: then
// nobody is asked. Nil: it needs Commit.
func (s *Sessions) Keep(base *store.View, ch *store.Change) (*store.View, error) {
	if base == nil || base.Aliased || !s.mayWait(ch) || !s.away() && (!s.options.Async || s.settling(base.Key)) {
		return nil, nil
	}
	return s.commitHere(base.Key, base.Record, ch)
}

// mayWait reports whether ch can stay in memory for a while: it gives no new id, nobody
// asks what became of it, and there is room.
func (s *Sessions) mayWait(ch *store.Change) bool {
	return !ch.Sync && ch.RenewTo == "" && !ch.Uncertain() && s.queue.size() < s.options.MaxUnsent
}

func (s *Sessions) full() bool {
	most := s.options.MaxSessions
	return most > 0 && s.counts.sessions.Load() >= int64(most)
}

// commitNow makes ch happen on the nodes, after what was not sent yet.
func (s *Sessions) commitNow(ctx context.Context, id, key string, base *store.View, ch *store.Change) (*store.View, error) {
	defer s.straight(key).straightDone()
	if !s.turns.Take(ctx, key) {
		return nil, tookTooLong(ctx)
	}
	defer s.turns.Give(key)
	l := s.find(key)
	if ch.RenewTo != "" {
		suspend(l) // who changes it from here on waits for the turn, and then finds the new id
	}
	if l != nil && l.unsent() {
		if err := s.sendTurned(ctx, key, l); errors.Is(err, store.ErrUnavailable) || over(err) {
			return s.commitAway(ctx, key, ch, err)
		}
	}
	v, err := s.commitBelow(ctx, id, key, s.belowOf(key, l, base), ch, l)
	s.noteBelow(err)
	switch {
	case err == nil:
		return v, nil
	case over(err):
		s.dropIf(key, l)
	case err == store.ErrNotFound && l != nil && s.revive(ctx, key, l) == nil:
		return s.commitBelow(ctx, id, key, s.belowOf(key, l, base), ch, l)
	case errors.Is(err, store.ErrUnavailable):
		if l != nil && !ch.Uncertain() {
			l.forgetPlace()
		} else {
			doubt(l)
		}
		return s.commitAway(ctx, key, ch, err)
	}
	return nil, err
}

// belowOf is the state from which a commit on the nodes begins.
func (s *Sessions) belowOf(key string, l *session, base *store.View) *store.View {
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if s.unpackLocked(key, l) == nil {
			return l.belowLocked(key)
		}
	}
	if base == nil {
		return nil
	}
	return &store.View{Record: base.Record, LastAccessed: base.LastAccessed, Key: base.Key}
}

// commitBelow commits ch on the nodes and takes what came of it into memory.
func (s *Sessions) commitBelow(ctx context.Context, id, key string, base *store.View, ch *store.Change, l *session) (*store.View, error) {
	full, sent := s.filtered(key, ch, l)
	v, err := s.commitOnTop(ctx, id, base, sent, l)
	ch.Doubt = sent.Doubt
	if err != nil {
		return nil, err
	}
	if v.Aliased {
		s.leaveTo(key, l)
		s.doubtTurned(ctx, v.Key)
		return v, nil
	}
	last := v.LastAccessed
	if l != nil {
		last = l.lastUse()
	}
	if v.Key != key {
		s.leaveTo(key, l) // it was renewed
	}
	if v.Left != "" && v.Left != key { // and again before, by another request
		s.doubtTurned(ctx, v.Left)
	}
	mine := full(v.Record)
	s.take(v, mine, true)
	s.touched(v.Key, true)
	if v.Key != key {
		s.find(v.Key).settleWith(l)
	}
	s.settleIfMet(v.Key, base, v.Record)
	return &store.View{Record: mine, LastAccessed: last, Key: v.Key}, nil
}

// commitOnTop commits ch on the nodes. If they have lost what was stored there, and have
// an older copy which another server has brought back, it is made on what was stored.
func (s *Sessions) commitOnTop(ctx context.Context, id string, base *store.View, ch *store.Change, l *session) (*store.View, error) {
	if l == nil || base == nil {
		return s.below.Commit(ctx, id, base, ch)
	}
	apply, stored := ch.Apply, base.Record
	defer func() { ch.Apply = apply }()
	ch.Apply = func(r *record.Record) error {
		if r.Behind(stored) {
			r.Take(stored)
			r.Revision = stored.Revision
		}
		return apply(r)
	}
	return s.below.Commit(ctx, id, base, ch)
}

// commitRenewed changes a session that was reached through its former id: on the
// nodes, since nothing here says who had it last.
func (s *Sessions) commitRenewed(ctx context.Context, id string, base *store.View, ch *store.Change) (*store.View, error) {
	if !s.turns.Take(ctx, base.Key) {
		return nil, tookTooLong(ctx)
	}
	defer s.turns.Give(base.Key)
	if l := s.find(base.Key); l != nil {
		if err := s.sendTurned(ctx, base.Key, l); errors.Is(err, store.ErrUnavailable) || over(err) {
			return nil, err
		}
	}
	v, err := s.below.Commit(ctx, id, base, ch)
	s.noteBelow(err)
	doubt(s.find(base.Key))
	if err == nil && v.Key != base.Key {
		s.doubtTurned(ctx, v.Key)
	}
	return v, err
}

// commitAway makes ch in memory alone, if the nodes failed because none answers at all.
func (s *Sessions) commitAway(ctx context.Context, key string, ch *store.Change, err error) (*store.View, error) {
	if !errors.Is(err, store.ErrUnavailable) || !s.confirmAway(ctx) || !s.mayWait(ch) {
		return nil, err
	}
	v, refused := s.commitHere(key, nil, ch)
	if v == nil && refused == nil {
		return nil, err
	}
	return v, refused
}

// suspend has the next use of l wait for the turn, and then read.
func suspend(l *session) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubt = true
}

// doubt has the next use read l again: a change may be on the nodes that is not here.
func doubt(l *session) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubt, l.seen = true, nil
}

// doubtTurned is doubt of the session at key, which was changed by another way: not
// while somebody takes in what he has read before that.
func (s *Sessions) doubtTurned(ctx context.Context, key string) {
	if s.turns.Take(ctx, key) {
		defer s.turns.Give(key)
	}
	doubt(s.find(key))
}

func tookTooLong(ctx context.Context) error {
	return fmt.Errorf("%w: another request of this session is at work: %w", store.ErrUnavailable, context.Cause(ctx))
}

// settling reports whether another server may still change the session: it was taken over
// lately, or this server has stood still.
func (s *Sessions) settling(key string) bool {
	l := s.find(key)
	if l == nil {
		return false
	}
	now := time.Now()
	settles := s.settles(now)
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.UnixNano() < max(l.settles, settles)
}

// settleWith has l, which may be nil, be asked about for as long as former, from which it
// was renewed: requests with the former id may still change it elsewhere.
func (l *session) settleWith(former *session) {
	if former == nil {
		return
	}
	former.mu.Lock()
	until := former.settles
	former.mu.Unlock()
	l.settleUntil(until)
}

// settleIfMet has the session at key be asked about for a while if its change, made of
// base, has met one of another server: that may be at more.
func (s *Sessions) settleIfMet(key string, base *store.View, made *record.Record) {
	if base != nil && !made.Follows(base.Record) {
		s.find(key).settleUntil(time.Now().Add(s.settlingTime()).UnixNano())
	}
}

func (l *session) settleUntil(until int64) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settles = max(l.settles, until)
}

// straight counts a change that goes straight to the nodes: others that come meanwhile
// must not be answered from memory, which lacks it.
func (s *Sessions) straight(key string) *session {
	l := s.find(key)
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.straight++
	}
	return l
}

func (l *session) straightDone() {
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.straight--
	}
}

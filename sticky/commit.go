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
	case ch.Uncertain && !unknown && errors.Is(err, store.ErrUnavailable):
		return fmt.Errorf("%w (%w)", store.ErrUnknownOutcome, err)
	case !ch.Uncertain && unknown:
		return fmt.Errorf("%w: %v", store.ErrUnavailable, err)
	}
	return err
}

func (s *Sessions) commit(ctx context.Context, id string, base *store.View, ch *store.Change) (*store.View, error) {
	key := s.below.Key(id)
	switch {
	case base == nil && s.full():
		return nil, fmt.Errorf("%w: this server has %d sessions", store.ErrTooMany, s.options.MaxSessions)
	case base != nil && base.Aliased:
		return s.commitRenewed(ctx, id, base, ch)
	case base != nil:
		key = base.Key // of a former request's commit it is another than id's
	}
	if s.options.Async && !ch.Sync && ch.RenewTo == "" && !ch.Uncertain && s.queue.size() < s.options.MaxUnsent {
		v, err := s.commitHere(key, base, ch)
		if v != nil || err != nil {
			return v, err
		}
	}
	return s.commitNow(ctx, id, key, base, ch)
}

func (s *Sessions) full() bool {
	most := s.options.MaxSessions
	return most > 0 && s.counts.sessions.Load() >= int64(most)
}

// commitHere makes ch happen in memory, to be sent later. It returns nothing if the
// session is not there, or may be too large for the nodes.
func (s *Sessions) commitHere(key string, base *store.View, ch *store.Change) (*store.View, error) {
	l := s.find(key)
	if l == nil && base == nil {
		l = s.begin(key)
	}
	for l != nil {
		before, ok := s.newest(key, l)
		if !ok {
			return nil, nil
		}
		after, err := made(before, ch)
		if err != nil || sizeOf(after) > maxBehind {
			if base == nil {
				s.drop(key, l)
			}
			return nil, err
		}
		if v := s.install(key, l, before, after, ch); v != nil {
			return v, nil
		}
	}
	return nil, nil
}

// maxBehind is up to what size a session is sent behind its request. A node may refuse
// a larger one, and then its user has to be told.
const maxBehind = 64 << 10

// begin is a session that the nodes do not have yet.
func (s *Sessions) begin(key string) *session {
	l := &session{used: time.Now().UnixNano(), checked: time.Now().UnixNano(), hot: &hot{newest: &record.Record{}}}
	s.keep(key, l)
	return l
}

func (s *Sessions) newest(key string, l *session) (*record.Record, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone || l.doubt && !s.away() || s.unpackLocked(key, l) != nil {
		return nil, false
	}
	return l.hot.newest, true
}

// made is before with ch made. It runs a user's code, so nothing is held meanwhile.
func made(before *record.Record, ch *store.Change) (*record.Record, error) {
	after := before.Clone()
	if err := ch.Apply(after); err != nil {
		return nil, err
	}
	after.LastAccessed = time.Now()
	after.AddCommit(ch.Commit)
	return after, nil
}

// install makes after the newest state of l, if before still is.
func (s *Sessions) install(key string, l *session, before, after *record.Record, ch *store.Change) *store.View {
	l.mu.Lock()
	if l.gone || l.doubt && !s.away() || l.hot == nil || l.hot.newest != before {
		l.mu.Unlock()
		return nil
	}
	v := &store.View{Record: after, LastAccessed: time.Unix(0, l.used), Key: key}
	s.addLocked(key, l, ch, after)
	l.used = time.Now().UnixNano()
	s.resizeLocked(l)
	l.mu.Unlock()
	s.sendBehind()
	return v
}

// commitNow makes ch happen on the nodes, after what was not sent yet.
func (s *Sessions) commitNow(ctx context.Context, id, key string, base *store.View, ch *store.Change) (*store.View, error) {
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
			return s.commitAway(key, base, ch, err)
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
		if l != nil && !ch.Uncertain {
			l.forgetPlace()
		} else {
			doubt(l)
		}
		return s.commitAway(key, base, ch, err)
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
	v, err := s.below.Commit(ctx, id, base, sent)
	ch.Uncertain, ch.UncertainSince, ch.Tried = sent.Uncertain, sent.UncertainSince, sent.Tried
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
	newest := s.take(v, full(v.Record), true)
	s.touched(v.Key, true)
	return &store.View{Record: newest, LastAccessed: last, Key: v.Key}, nil
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

// commitAway makes ch in memory alone, because no node answers at all.
func (s *Sessions) commitAway(key string, base *store.View, ch *store.Change, err error) (*store.View, error) {
	if !errors.Is(err, store.ErrUnavailable) || ch.Sync || ch.RenewTo != "" || ch.Uncertain || !s.away() {
		return nil, err
	}
	v, here := s.commitHere(key, base, ch)
	if v == nil && here == nil {
		return nil, err
	}
	s.counts.degraded.Add(1)
	return v, here
}

// away reports whether no node answers, and what is in memory is to be used.
func (s *Sessions) away() bool { return s.options.Away != nil && s.options.Away() }

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

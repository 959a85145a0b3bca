package sticky

import (
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// commitHere makes ch happen in memory, to be sent later. It returns nothing if the
// session is not there, or may be too large for the nodes. base is what its user has
// seen, or nil.
func (s *Sessions) commitHere(key string, base *record.Record, ch *store.Change) (*store.View, error) {
	for l := s.find(key); l != nil; {
		before, former, ok := s.newest(key, l)
		if !ok {
			return nil, nil
		}
		seen := before
		if former != nil && former == base {
			seen = former
		}
		after, err := made(seen, before, ch)
		if err != nil || sizeOf(after) > maxBehind {
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

// newest is also what it was called before it was sent.
func (s *Sessions) newest(key string, l *session) (newest, former *record.Record, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone || (l.doubt || l.straight > 0) && !s.away() || s.unpackLocked(key, l) != nil {
		return nil, nil, false
	}
	return l.hot.newest, l.hot.former, true
}

// made is seen with ch made, in the place of before, which says the same of the session.
// It runs a user's code, so nothing is held meanwhile.
func made(seen, before *record.Record, ch *store.Change) (*record.Record, error) {
	after := seen.Clone()
	if err := ch.Apply(after); err != nil {
		return nil, err
	}
	if seen != before {
		after = after.Rebased(before)
	}
	after.LastAccessed = time.Now()
	after.AddCommit(ch.Commit)
	return after, nil
}

// install makes after the newest state of l, if before still is.
func (s *Sessions) install(key string, l *session, before, after *record.Record, ch *store.Change) *store.View {
	l.mu.Lock()
	if l.gone || (l.doubt || l.straight > 0) && !s.away() || l.hot == nil || l.hot.newest != before {
		l.mu.Unlock()
		return nil
	}
	v := &store.View{Record: after, LastAccessed: time.Unix(0, l.used), Key: key}
	s.addLocked(key, l, ch, after)
	l.used = time.Now().UnixNano()
	s.resizeLocked(l)
	l.mu.Unlock()
	if s.away() {
		s.counts.degraded.Add(1)
	}
	s.sendBehind()
	return v
}

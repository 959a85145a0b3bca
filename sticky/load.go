package sticky

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// Remembered is the session called id, for a request whose cookie says that this
// server had it last: what is in memory is the truth, and nobody is asked. Nil: it has
// to be read, with Continue.
func (s *Sessions) Remembered(id string) *store.View {
	key := s.below.Key(id)
	l := s.find(key)
	if l == nil {
		return nil
	}
	v, check := s.use(key, l)
	if check {
		s.checkBehind(key)
	}
	return v
}

// Continue is Load for such a request.
func (s *Sessions) Continue(ctx context.Context, id, hint string) (*store.View, error) {
	if v := s.Remembered(id); v != nil {
		return v, nil
	}
	return s.Reread(ctx, id, hint)
}

// Reread is Load for such a request that wants what the nodes have, whatever is in
// memory.
func (s *Sessions) Reread(ctx context.Context, id, hint string) (*store.View, error) {
	return s.read(ctx, s.below.Key(id), hint, here)
}

// use is one use of l, or nil if it has to be read first. It reports whether to
// check behind the request.
func (s *Sessions) use(key string, l *session) (v *store.View, check bool) {
	now, away := time.Now(), s.away()
	settles := s.settles(now)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone || !away && (l.doubt || l.checked < max(l.settles, settles)) || s.unpackLocked(key, l) != nil || expired(l.hot.newest, l.used, now) {
		return nil, false
	}
	v = &store.View{Record: l.hot.newest, LastAccessed: time.Unix(0, l.used), Key: key}
	v.Extended = beganGrain(l.hot.newest, v.LastAccessed, now)
	check = !away && now.UnixNano()-l.checked > int64(checkEvery(l.hot.newest)) // an outage is no check: all are checked after it
	if l.used = now.UnixNano(); check {
		l.checked = l.used
	}
	return v, check
}

// beganGrain reports whether now is in another sixteenth of the idle timeout than
// last.
func beganGrain(r *record.Record, last, now time.Time) bool {
	grain := r.IdleTimeout / 16
	return grain > 0 && last.Sub(r.Created)/grain != now.Sub(r.Created)/grain
}

// TakeOver is Load for a request whose cookie says that another server had the
// session last.
func (s *Sessions) TakeOver(ctx context.Context, id, hint string) (*store.View, error) {
	if s.find(s.below.Key(id)) != nil {
		s.flipped()
	}
	v, err := s.read(ctx, s.below.Key(id), hint, elsewhere)
	if err == nil {
		s.counts.takeOvers.Add(1)
	}
	return v, err
}

// Load is that of store.Backend: nobody knows which server had the session last.
func (s *Sessions) Load(ctx context.Context, id, hint string) (*store.View, error) {
	return s.read(ctx, s.below.Key(id), hint, unknown)
}

// A whereabouts says where a session was last, as far as its cookie tells.
type whereabouts uint8

const (
	unknown whereabouts = iota
	here
	elsewhere
)

// read takes the session from the nodes into memory. What this server has not sent
// goes before. What the nodes have lost is brought back if it was here: then nobody
// else can have ended it.
func (s *Sessions) read(ctx context.Context, key, hint string, was whereabouts) (*store.View, error) {
	if !s.turns.Take(ctx, key) {
		return nil, tookTooLong(ctx)
	}
	defer s.turns.Give(key)
	l := s.find(key)
	if l != nil && l.unsent() {
		if err := s.sendTurned(ctx, key, l); errors.Is(err, store.ErrUnavailable) {
			return s.readAway(ctx, key, l, was, err)
		}
	}
	used, lives := s.livesHere(key, l, was)
	v, err := s.loadUsed(ctx, key, hint, lives)
	s.noteBelow(err)
	switch {
	case errors.Is(err, store.ErrUnavailable):
		return s.readAway(ctx, key, l, was, err)
	case err == store.ErrNotFound && was == here && l != nil && s.revive(ctx, key, l) == nil:
		if v, _ = s.use(key, l); v != nil {
			return v, nil
		}
		return nil, err
	case errors.Is(err, store.ErrNotFound):
		s.dropIf(key, l)
		return nil, err
	case err != nil:
		return nil, err
	case v.Key != key: // renewed: it lies under another key, and is not kept under this one
		s.leaveTo(key, l)
		return s.readRenewed(ctx, v)
	}
	if l != nil && was == here && s.goneBack(key, l, v) && s.reinstate(ctx, key, l) == nil {
		if v, _ := s.use(key, l); v != nil {
			return v, nil
		}
	}
	newest := v.Record
	if l != nil {
		newest = s.withPrivate(newest, l.peek(s, key))
	}
	newest = s.take(v, newest, true)
	s.touched(key, was == here)
	last := v.LastAccessed
	if lives {
		last = used
	}
	return &store.View{Record: newest, LastAccessed: last, Extended: v.Extended, Key: key}, nil
}

// livesHere reports whether this server knows, of l which may be nil, that the session
// was used within its idle timeout, and when it was. Of a session that was elsewhere another
// server knows better.
func (s *Sessions) livesHere(key string, l *session, was whereabouts) (used time.Time, lives bool) {
	if l == nil || was != here {
		return time.Time{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Unix(0, l.used), s.livesLocked(key, l)
}

// livesLocked reports whether l is in memory, unpacked now, and its time is not over.
func (s *Sessions) livesLocked(key string, l *session) bool {
	return !l.gone && s.unpackLocked(key, l) == nil && !expired(l.hot.newest, l.used, time.Now())
}

// loadUsed is LoadKey, which is a use. Of a session that lives here the nodes may not have
// heard for so long that they take its time for over.
func (s *Sessions) loadUsed(ctx context.Context, key, hint string, lives bool) (*store.View, error) {
	if lives {
		return s.below.LookAt(ctx, key, hint, time.Now())
	}
	return s.below.LoadKey(ctx, key, hint)
}

// goneBack reports whether v is older than what the nodes had: they have lost that.
func (s *Sessions) goneBack(key string, l *session, v *store.View) bool {
	stored := l.peekStored(s, key)
	return stored != nil && v.Record.Behind(stored)
}

// readAway is what is in memory, if the nodes failed because none answers at all.
func (s *Sessions) readAway(ctx context.Context, key string, l *session, was whereabouts, err error) (*store.View, error) {
	if l == nil || was != here || !s.confirmAway(ctx) {
		return nil, err
	}
	if v, _ := s.use(key, l); v != nil {
		return v, nil
	}
	return nil, err
}

// settlingTime is how long a server that takes a session over asks the nodes each time:
// requests that the browser had sent before may still run on the former server, and
// those with a former id go there as long as that is good. What they change must be seen
// by those that it sends after their answers.
func (s *Sessions) settlingTime() time.Duration { return max(5*time.Second, s.options.Grace) }

// touched notes a use of the session, which was mine before or is taken over.
func (s *Sessions) touched(key string, mine bool) {
	l := s.find(key)
	if l == nil {
		return
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used = now.UnixNano()
	if !mine {
		l.settles = now.Add(s.settlingTime()).UnixNano()
	}
}

// readRenewed is the state of a session that was reached through its former id. It
// is not taken into memory. If it is there under its key, what was not sent goes before.
func (s *Sessions) readRenewed(ctx context.Context, v *store.View) (*store.View, error) {
	l := s.find(v.Key)
	if l == nil {
		return v, nil
	}
	if !s.turns.Take(ctx, v.Key) {
		return nil, tookTooLong(ctx)
	}
	err := s.sendTurned(ctx, v.Key, l)
	s.turns.Give(v.Key)
	if err != nil {
		return nil, err
	}
	fresh, err := s.below.LoadKey(ctx, v.Key, "")
	if err == nil {
		fresh.Aliased = true
	}
	return fresh, err
}

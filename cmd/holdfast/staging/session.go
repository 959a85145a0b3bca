package staging

import (
	"sync"
	"time"
)

// A session is what the clients together know of one. Its methods may be called in
// parallel.
type session struct {
	name     string
	changing sync.Mutex // held while a request may give it another id, or end it

	mu     sync.Mutex
	cookie string        // the newest; guarded by mu
	former string        // the one before the last acknowledged login or renewal; guarded by mu
	over   bool          // it has ended, or nobody can tell; guarded by mu
	used   time.Duration // when the last request was sent that was accepted; guarded by mu
	struck int64         // how many faults there had been then; guarded by mu
}

// presented is what a client has when it sends a request.
type presented struct {
	cookie string
	at     time.Duration
	former bool
}

// present and learn take the time together with the cookie: so the history can tell
// from the times which id a request was sent with.
func (s *session) present(now func() time.Duration) presented {
	s.mu.Lock()
	defer s.mu.Unlock()
	return presented{s.cookie, now(), false}
}

// presentFormer has no cookie if there was none before.
func (s *session) presentFormer(now func() time.Duration) presented {
	s.mu.Lock()
	defer s.mu.Unlock()
	return presented{s.former, now(), true}
}

// learn takes the cookie of an accepted answer, with other hints or another id, and
// returns when it was known.
func (s *session) learn(p presented, cookie string, changesID bool, now func() time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case cookie == "":
	case changesID && s.cookie != "":
		s.former, s.cookie = s.cookie, cookie
	case changesID || !p.former && idOf(cookie) == idOf(s.cookie):
		s.cookie = cookie
	}
	return now()
}

// isFormer reports whether p has an id from before what is known now.
func (s *session) isFormer(p presented) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return idOf(p.cookie) != idOf(s.cookie)
}

// end has nobody use the session any more, but those who look whether it is gone.
func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
}

func (s *session) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

func (s *session) use(at time.Duration, struck int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at > s.used {
		s.used, s.struck = at, struck
	}
}

// doubtful reports whether the session may rightly be gone: it was not used for almost
// its idle timeout, or two faults have struck since and nobody has had it mended
// between them.
func (s *session) doubtful(now time.Duration, struck int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cookie != "" && !s.over && (now-s.used > idleTimeout*7/8-time.Second || struck-s.struck > 1)
}

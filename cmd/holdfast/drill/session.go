package drill

import "sync"

// bounds are what a number in a session may be.
type bounds struct {
	least int64 // what was acknowledged
	most  int64 // and what else may have happened
}

// A session is what the clients together know of one session.
type session struct {
	mu      sync.Mutex
	cookie  string // the last that a server sent
	count   bounds
	note    bounds
	leaving bool // a logout was sent
	ended   bool // and acknowledged
	findings
}

// findings are the promises that were broken on a session. A change that is
// missed again and again is one.
type findings struct {
	lost        bool
	lostUpdates int64
	doubled     int64
	resurrected bool
	unreadable  bool // when it was read on purpose for the last time
}

// presented is what a client knows when it sends a request.
type presented struct {
	cookie      string
	count, note int64 // at least
	ended       bool
}

// present is called before a request. adds and note are what it will do if it is
// not refused.
func (s *session) present(adds, note int64) presented {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.most += adds
	s.note.most = max(s.note.most, note)
	return presented{s.cookie, s.count.least, s.note.least, s.ended}
}

// leave is called before a logout.
func (s *session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving = true
}

// learn takes what the answer to a request says.
func (s *session) learn(p presented, a reply, adds, note int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.cookie != "" {
		s.cookie = a.cookie
	}
	switch a.Outcome {
	case done:
		s.count.least += adds
		s.note.least = max(s.note.least, note)
		s.resurrected = s.resurrected || p.ended
		s.compareLocked(p, a)
	case gone:
		s.count.most -= adds
		s.lost = s.lost || !s.leaving
	case refused:
		s.count.most -= adds
	case unknown:
	}
}

func (s *session) compareLocked(p presented, a reply) {
	s.lostUpdates = max(s.lostUpdates, p.count-a.Count, p.note-a.Note)
	s.doubled = max(s.doubled, a.Count-s.count.most, a.Note-s.note.most)
}

// left is called after an acknowledged logout.
func (s *session) left() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

func (s *session) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended || s.lost
}

func (s *session) setUnreadable(unreadable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unreadable = unreadable
}

func (s *session) found() findings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.findings
}

package drill

import (
	"slices"
	"sync"
	"time"
)

// bounds are what a number in a session may be.
type bounds struct {
	least int64 // what was acknowledged
	most  int64 // and what else may have happened
}

// A session is what the clients together know of one session.
type session struct {
	begun time.Time

	mu      sync.Mutex
	cookie  string // the last that a server sent
	count   bounds
	note    bounds
	flying  int64     // adds that were sent and not answered
	acked   []numbers // the latest, before each acknowledged change
	leaving bool      // a logout was sent
	ended   bool      // and acknowledged
	loss
	findings
}

// numbers are what a session has at least, at a moment.
type numbers struct {
	count, note int64
	until       time.Time
}

// mostAcked are more than those of the longest time that a server holds changes alone.
const mostAcked = 4096

// A loss is that of a server that held changes alone.
type loss struct {
	losses    int     // so far
	remains   numbers // what must be there after the last one
	owed      numbers // and what had been acknowledged; zero once it was looked for
	mayBeGone bool    // the session was begun too late
}

// findings are the promises that were broken on a session. A change that is
// missed again and again is one.
type findings struct {
	lost        bool
	lostUpdates int64
	doubled     int64
	resurrected bool
	unreadable  bool  // when it was read on purpose for the last time
	unsentLost  int64 // no promise: acknowledged changes that only a dead server had
}

// presented is what a client knows when it sends a request.
type presented struct {
	cookie      string
	count, note int64 // at least
	ended       bool
	losses      int
}

// present is called before a request. adds and note are what it will do if it is
// not refused.
func (s *session) present(adds, note int64) presented {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.most += adds
	s.flying += adds
	s.note.most = max(s.note.most, note)
	return presented{s.cookie, s.count.least, s.note.least, s.ended, s.losses}
}

// leave is called before a logout.
func (s *session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving = true
}

// learn takes what the answer to a request says. What was sent before a loss may have
// been answered by the server that is dead.
func (s *session) learn(p presented, a reply, adds, note int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flying -= adds
	if a.cookie != "" {
		s.cookie = a.cookie
	}
	before := p.losses < s.losses
	if before {
		p.count, p.note = min(p.count, s.remains.count), min(p.note, s.remains.note)
	}
	switch a.Outcome {
	case done:
		if !before {
			s.settleLocked(a.Count-adds, a.Note)
			s.ackLocked(adds, note)
		}
		s.resurrected = s.resurrected || p.ended
		s.compareLocked(p, a)
	case gone:
		s.count.most -= adds
		s.goneLocked()
	case refused:
		s.count.most -= adds
	case unknown:
	}
}

func (s *session) ackLocked(adds, note int64) {
	if adds == 0 && note == 0 {
		return
	}
	if len(s.acked) == mostAcked {
		s.acked = slices.Delete(s.acked, 0, mostAcked/2)
	}
	s.acked = append(s.acked, numbers{s.count.least, s.note.least, time.Now()})
	s.count.least += adds
	s.note.least = max(s.note.least, note)
}

func (s *session) compareLocked(p presented, a reply) {
	s.lostUpdates = max(s.lostUpdates, p.count-a.Count, p.note-a.Note)
	s.doubled = max(s.doubled, a.Count-s.count.most, a.Note-s.note.most)
}

func (s *session) goneLocked() {
	switch {
	case s.leaving:
	case s.mayBeGone:
		s.unsentLost = max(s.unsentLost, 1)
		s.leaving = true
	default:
		s.lost = true
	}
}

// forgive has the clients expect what was acknowledged before since, and no more.
func (s *session) forgive(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.losses++
	s.mayBeGone = !s.begun.Before(since)
	s.remains = numbers{count: s.count.least, note: s.note.least}
	s.owed = numbers{count: max(s.count.least, s.owed.count), note: max(s.note.least, s.owed.note)}
	for _, before := range s.acked {
		if !before.until.Before(since) {
			s.remains = before
			break
		}
	}
	s.acked = nil
	s.count.least, s.note.least = s.remains.count, s.remains.note
}

// settleLocked looks for what was owed in the first answer after a loss. Of what it
// shows, adds that are still to be acknowledged may be a part.
func (s *session) settleLocked(count, note int64) {
	s.mayBeGone = false
	if s.owed == (numbers{}) {
		return
	}
	s.unsentLost += max(s.owed.count-count, 0)
	if s.owed.note > note {
		s.unsentLost++
	}
	s.count.least = max(s.count.least, min(s.owed.count, count-s.flying))
	s.note.least = max(s.note.least, min(s.owed.note, note))
	s.owed = numbers{}
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

package ledger

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

// A Session is what the clients together know of one session.
type Session struct {
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
	findings Findings
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

// Findings are the promises that were broken on a session. A change that is
// missed again and again is one.
type Findings struct {
	Lost        bool
	LostUpdates int64
	Doubled     int64
	Resurrected bool
	Unreadable  bool  // when it was read on purpose for the last time
	UnsentLost  int64 // no promise: acknowledged changes that only a dead server had
}

// Presented is what a client knows when it sends a request.
type Presented struct {
	Cookie      string
	count, note int64 // at least
	ended       bool
	losses      int
}

// Present is called before a request. adds and note are what it will do if it is
// not refused.
func (s *Session) Present(adds, note int64) Presented {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.most += adds
	s.flying += adds
	s.note.most = max(s.note.most, note)
	return Presented{s.cookie, s.count.least, s.note.least, s.ended, s.losses}
}

// Leave is called before a logout.
func (s *Session) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving = true
}

// Learn takes what the answer to a request says. What was sent before a loss may have
// been answered by the server that is dead.
func (s *Session) Learn(p Presented, a Reply, adds, note int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flying -= adds
	if a.Cookie != "" {
		s.cookie = a.Cookie
	}
	before := p.losses < s.losses
	if before {
		p.count, p.note = min(p.count, s.remains.count), min(p.note, s.remains.note)
	}
	switch a.Outcome {
	case Done:
		if !before {
			s.settleLocked(a.Count-adds, a.Note)
			s.ackLocked(adds, note)
		}
		s.findings.Resurrected = s.findings.Resurrected || p.ended
		s.compareLocked(p, a)
	case Gone:
		s.count.most -= adds
		s.goneLocked()
	case Refused:
		s.count.most -= adds
	case Unknown:
	}
}

func (s *Session) ackLocked(adds, note int64) {
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

func (s *Session) compareLocked(p Presented, a Reply) {
	s.findings.LostUpdates = max(s.findings.LostUpdates, p.count-a.Count, p.note-a.Note)
	s.findings.Doubled = max(s.findings.Doubled, a.Count-s.count.most, a.Note-s.note.most)
}

func (s *Session) goneLocked() {
	switch {
	case s.leaving:
	case s.mayBeGone:
		s.findings.UnsentLost = max(s.findings.UnsentLost, 1)
		s.leaving = true
	default:
		s.findings.Lost = true
	}
}

// Forgive has the clients expect what was acknowledged before since, and no more.
func (s *Session) Forgive(since time.Time) {
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
func (s *Session) settleLocked(count, note int64) {
	s.mayBeGone = false
	if s.owed == (numbers{}) {
		return
	}
	s.findings.UnsentLost += max(s.owed.count-count, 0)
	if s.owed.note > note {
		s.findings.UnsentLost++
	}
	s.count.least = max(s.count.least, min(s.owed.count, count-s.flying))
	s.note.least = max(s.note.least, min(s.owed.note, note))
	s.owed = numbers{}
}

// left is called after an acknowledged logout.
func (s *Session) left() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.acked = true, nil
}

// IsOver reports whether the session was ended or lost, as far as clients know.
func (s *Session) IsOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended || s.findings.Lost
}

// SetUnreadable notes whether the session could not be read when it was read on
// purpose.
func (s *Session) SetUnreadable(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.findings.Unreadable = is
}

// Found is what was found out so far.
func (s *Session) Found() Findings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.findings
}

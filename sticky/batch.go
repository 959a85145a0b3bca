package sticky

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A batch is the changes of one session that go to the nodes together. If nobody
// else has changed the session, they get the state that the changes have made here;
// else the changes are made again on the newest one, in their order.
type batch struct {
	change   store.Change
	since    time.Time                    // of the oldest change
	runs     []func(*record.Record) error // the changes
	base     *record.Record               // that they were made on; nil: none
	after    *record.Record               // the state that they made
	refused  int                          // runs that failed on a newer state
	replayed bool                         // runs were made again
}

func (s *Sessions) newBatch(base *record.Record) *batch {
	b := &batch{base: base, since: time.Now()}
	b.change = store.Change{Commit: rand.Uint64(), Apply: func(r *record.Record) error { return b.apply(s, r) }}
	return b
}

// size is how many changes there are in b, which may be nil.
func (b *batch) size() int {
	if b == nil {
		return 0
	}
	return len(b.runs)
}

// apply makes r, whatever the nodes have, into what they are to have.
func (b *batch) apply(s *Sessions, r *record.Record) error {
	b.refused, b.replayed = 0, false
	switch {
	case b.base == nil && r.Revision == 0 || b.base != nil && r.SameState(b.base):
		r.Take(s.public(b.after))
		r.Revision = max(r.Revision, b.after.Revision)
		return nil
	case r.Behind(b.after): // they have lost it; perhaps another server has stored an older copy since
		r.Take(s.public(b.after))
		r.Revision = b.after.Revision
		return nil
	}
	whole := s.withPrivate(r, b.after).Clone()
	b.replayed, b.refused = true, replay(b.runs, whole)
	*r = *s.public(whole)
	return nil
}

// made reports whether r is the state that b made of its base, and none that others
// made of that.
func (b *batch) made(r *record.Record) bool {
	return !b.replayed && len(r.Commits) > 0 && r.Commits[len(r.Commits)-1] == b.change.Commit
}

// replay makes the changes again and returns how many could not be made: the
// session has changed hands since.
func replay(runs []func(*record.Record) error, r *record.Record) (refused int) {
	for _, run := range runs {
		next := r.Clone()
		if runAgain(run, next) != nil {
			refused++
			continue
		}
		*r = *next
	}
	return refused
}

// runAgain runs a user's code behind its request, where nobody else stops its panic.
func runAgain(run func(*record.Record) error, r *record.Record) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a function given to Update panicked on a newer state: %v", p)
		}
	}()
	return run(r)
}

// addLocked notes ch, which has made after, for the next sending.
func (s *Sessions) addLocked(key string, l *session, ch *store.Change, after *record.Record) {
	h := l.hot
	if h.waiting == nil {
		h.waiting = s.newBatch(h.stored)
	}
	h.waiting.runs = append(h.waiting.runs, ch.Apply)
	h.waiting.change.Unused = false
	h.waiting.after, h.newest, h.former = after, after, nil
	s.queue.add(key, h.waiting.since)
}

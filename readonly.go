package holdfast

import (
	"net/http"
	"sync"

	"github.com/holdfast-sessions/holdfast/recent"
)

// readOnly learns which requests never change a session: by method and path, since
// what one user's request does another's does, too. Whatever it forgets locks again.
type readOnly struct {
	mu    sync.Mutex
	reads *recent.Map[page, uint8] // how often in a row nothing was changed; guarded by mu
}

type page struct{ method, path string }

const (
	enoughReads = 3       // make a path read-only
	changes     = 1 << 7  // of a path that has ever changed a session
	maxLearned  = 1 << 12 // in each of the two generations
)

func newReadOnly() *readOnly { return &readOnly{reads: recent.New[page, uint8](maxLearned, 0)} }

// knows reports whether requests such as r never changed a session.
func (o *readOnly) knows(r *http.Request) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	reads, _ := o.reads.Get(page{r.Method, r.URL.Path})
	return reads == enoughReads
}

// note learns from r, which has used a session.
func (o *readOnly) note(r *http.Request, changed bool) {
	asked := page{r.Method, r.URL.Path}
	o.mu.Lock()
	defer o.mu.Unlock()
	reads, _ := o.reads.Get(asked)
	switch {
	case changed:
		reads = changes
	case reads < enoughReads:
		reads++
	}
	o.reads.Put(asked, reads)
}

// learn takes note of what the request of s has done.
func (m *Manager) learn(s *Session) {
	s.mu.Lock()
	judged, changed := s.lock.judged, s.lock.changed
	s.mu.Unlock()
	if judged {
		m.readOnly.note(s.req, changed)
	}
}

package holdfast

import (
	"cmp"
	"context"
	"iter"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/deadline"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A Session is one visitor's session as one request sees it. It is loaded when
// it is first used, and stored before the response header leaves. Attributes
// are read and changed through a [Key].
//
// Its methods are safe for concurrent use. Outside of [Manager.Handler] every
// operation fails with ErrNoSession.
type Session struct {
	m   *Manager        // nil: there is no session here
	ctx context.Context // the request's
	req *http.Request   // nil outside of a request
	out *response       // nil outside of a request

	// gate is held by whatever loads, commits or destroys, over all its I/O and
	// over functions of the user's that run again on a conflict. It comes
	// before mu.
	gate  sync.Mutex
	spent time.Duration // of the request's time for session work; guarded by gate

	mu     sync.Mutex // guards all below; never held over I/O or foreign code
	state  state
	room   *room
	tokens []token        // what the request presented and was looked for
	token  token          // of the session
	view   *store.View    // as it was last read or written; nil: it is not stored
	draft  *record.Record // view's record with ops applied; nil: there are none
	ops    []op           // what this request changed and has not stored
	first  *firstChange   // its room

	renewTo ID // the id that the next commit moves the session to
	lock    sessionLock

	elsewhere    bool    // it got a new id just now, which is on its way to the browser
	begun        bool    // by this request
	commitFailed bool    // and nothing was changed since
	uncertain    *commit // its outcome is not known; it has the first of ops

	err    error       // the last operation's that failed
	seen   bool        // the handler has looked at it
	inDo   bool        // the function given to Do runs
	over   bool        // the request has ended
	events []happening // not yet told to the hooks
}

// A room is what most requests that use their session need for it, in one allocation.
type room struct {
	tokens [1]token
	limits [2]deadline.Context // of the load and of the commit
	used   int                 // of limits
}

// A firstChange is the same for those that change it. It is not part of room, since it
// may wait in memory long after the request.
type firstChange struct {
	ops    [1]op
	commit commit
	used   bool // commit is
}

// newLimit is a context that is used once: who is asked under it may keep it.
func (s *Session) newLimit() *deadline.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.room
	if r == nil || r.used == len(r.limits) {
		return new(deadline.Context)
	}
	r.used++
	return &r.limits[r.used-1]
}

// A state says what is known of a request's session.
type state uint8

const (
	unloaded state = iota
	nothing        // for certain there is none, or it was destroyed just now
	present        // stored, or about to be
	failed         // it could not be found out
)

// fail keeps err until the handler looks at it, and returns it.
func (s *Session) fail(err error) error {
	if err == nil || s.m == nil {
		return err
	}
	s.mu.Lock()
	s.err, s.seen = err, false
	s.mu.Unlock()
	s.m.counts.failures.Add(1)
	return err
}

// Err returns the error of the last session operation that failed in this
// request, or nil. Who calls it answers for it: without a call the middleware
// replaces the response by an error page.
func (s *Session) Err() error {
	if s.m == nil {
		return ErrNoSession
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = true
	return s.err
}

// looked notes that the handler was given s.err in a way that it cannot overlook.
func (s *Session) looked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = true
}

// unseen returns the error that the handler has not looked at.
func (s *Session) unseen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen {
		return nil
	}
	return s.err
}

// Exists reports whether there is a session: stored, or begun by this request.
func (s *Session) Exists() (exists bool) {
	s.peek(func(*record.Record) { exists = true })
	return exists
}

// IsNew reports whether this request began the session.
func (s *Session) IsNew() (begun bool) {
	s.peek(func(*record.Record) { begun = s.begun })
	return begun
}

// ID returns the session's id, "" when there is no session.
func (s *Session) ID() (id ID) {
	s.peek(func(*record.Record) { id = cmp.Or(s.renewTo, s.token.id) })
	return id
}

// CreatedAt returns when the session began, to the millisecond; zero when there is none.
func (s *Session) CreatedAt() (t time.Time) {
	s.peek(func(r *record.Record) { t = r.Created })
	return t
}

// LastAccessedAt returns when the previous request used the session, late by at
// most a sixteenth of the idle timeout; CreatedAt for the first request.
func (s *Session) LastAccessedAt() (t time.Time) {
	s.peek(func(r *record.Record) {
		t = r.Created
		if s.view != nil && !s.view.LastAccessed.IsZero() {
			t = s.view.LastAccessed
		}
	})
	return t
}

// Names returns the names of the attributes, sorted.
func (s *Session) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		var names []string // copied, so that the loop may change the session
		s.peek(func(r *record.Record) {
			for _, a := range r.Attributes() {
				names = append(names, a.Name)
			}
		})
		for _, name := range names {
			if !yield(name) {
				return
			}
		}
	}
}

// Raw returns the attribute called name for people who look at sessions:
// string, int64, uint64, float64, bool, time.Time, json.RawMessage for a
// struct, or the bytes of a codec that this function does not know.
func (s *Session) Raw(name string) (value any, ok bool) {
	a, ok, err := s.attribute(name)
	if err != nil || !ok {
		return nil, false
	}
	value, err = decodeAny(a.Codec, a.Value)
	if err != nil {
		s.keep(unreadableAttribute(name, err))
		return nil, false
	}
	return value, true
}

// attribute returns the stored form of the attribute called name.
func (s *Session) attribute(name string) (a record.Attribute, ok bool, err error) {
	if err := s.load(); err != nil {
		return a, false, err
	}
	s.peek(func(r *record.Record) { a, ok = r.Get(name) })
	return a, ok, nil
}

// Owner returns who is logged in, as given to Login; "" before.
func (s *Session) Owner() (owner string) {
	s.peek(func(r *record.Record) { owner = r.Owner })
	return owner
}

// IdleTimeout returns how long the session lives unused: Never if it does not
// end by that, zero when there is no session.
func (s *Session) IdleTimeout() (idle time.Duration) {
	s.peek(func(r *record.Record) { idle = cmp.Or(r.IdleTimeout, Never) })
	return idle
}

// Expires returns when the session ends if nobody uses it; zero if it does not.
func (s *Session) Expires() (end time.Time) {
	s.peek(func(r *record.Record) {
		end = r.Deadline
		if r.IdleTimeout == 0 {
			return
		}
		if idle := time.Now().Add(r.IdleTimeout); end.IsZero() || idle.Before(end) {
			end = idle
		}
	})
	return end
}

// A Place says where a session lies.
type Place struct {
	Node   string   // its home; "" while it is not stored
	Copies []string // the further nodes that hold it
	Route  string   // the app server that the cookie names
}

// Place returns where the session lies.
func (s *Session) Place() (p Place) {
	s.peek(func(r *record.Record) {
		p.Route = s.token.route
		if s.view != nil && len(r.Members) > 0 {
			p.Node, p.Copies = r.Members[0], slices.Clone(r.Members[1:])
		}
	})
	return p
}

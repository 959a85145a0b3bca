package holdfast

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sync"
	"time"

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
	tokens []token        // what the request presented and was looked for
	token  token          // of the session
	view   *store.View    // as it was last read or written; nil: it is not stored
	draft  *record.Record // view's record with ops applied; nil: there are none
	ops    []op           // what this request changed and has not stored

	renewTo ID // the id that the next commit moves the session to

	begun        bool    // by this request
	commitFailed bool    // and nothing was changed since
	uncertain    *commit // its outcome is not known; it has the first of ops

	err    error       // the last operation's that failed
	seen   bool        // the handler has looked at it
	inDo   bool        // the function given to Do runs
	over   bool        // the request has ended
	events []happening // not yet told to the hooks
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

// looked notes that the handler was given err in a way that it cannot overlook.
func (s *Session) looked(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = s.seen || err != nil && err == s.err
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

// load makes sure that the session's state is known. Its error is kept already.
func (s *Session) load() error {
	if s.m == nil {
		return ErrNoSession
	}
	if known, err := s.known(); known {
		return err
	}
	err := s.underGate(s.loadGated)
	s.tell()
	return err
}

// underGate runs work while gate is held, also when work panics. It waits no
// longer than anybody can hold gate, unless a function given to Update, which
// may run while it is held, has led here.
func (s *Session) underGate(work func() error) error {
	for wait := time.Duration(0); !s.gate.TryLock(); wait += gateStep {
		if wait > 2*s.m.options.OperationTimeout {
			return s.fail(errBusy)
		}
		time.Sleep(gateStep)
	}
	defer s.gate.Unlock()
	return work()
}

// gateStep is how often a goroutine looks whether another one of its request
// is done with the store.
const gateStep = 100 * time.Microsecond

var errBusy = fmt.Errorf("%w: another goroutine of this request holds the session, or a function given to Update uses it", ErrUnavailable)

// known reports whether there is nothing to load, and if so what came of it.
func (s *Session) known() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == failed && s.out != nil && s.out.goesOn():
		return false, nil // a long-lived request tries again
	case s.state == failed:
		return true, s.err
	}
	return s.state != unloaded, nil
}

func (s *Session) loadGated() error {
	if known, err := s.known(); known {
		return err
	}
	for _, t := range s.presented() {
		view, err := s.fetch(t)
		switch {
		case err == nil:
			s.found(t, view)
			return nil
		case !errors.Is(err, store.ErrNotFound):
			s.mu.Lock()
			s.state = failed
			s.mu.Unlock()
			return s.fail(err)
		}
	}
	s.mu.Lock()
	s.state = nothing
	s.mu.Unlock()
	return nil
}

// presented returns the tokens that the request presented.
func (s *Session) presented() []token {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil && s.req != nil {
		s.tokens = s.m.transport.presented(s.req)
	}
	return s.tokens
}

func (s *Session) found(t token, view *store.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.token, s.view, s.draft = present, t, view, nil
	s.grantLocked(view, false)
	s.prolongCookieLocked(view, view.Extended)
}

// currentLocked returns the record as this request sees it; nil when there is no
// session.
func (s *Session) currentLocked() *record.Record {
	switch {
	case s.draft != nil:
		return s.draft
	case s.view != nil:
		return s.view.Record
	}
	return nil
}

// peek calls read with the record as this request sees it, if there is a
// session. An error is kept in s.err.
func (s *Session) peek(read func(*record.Record)) {
	if err := s.load(); err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.currentLocked(); r != nil {
		read(r)
	}
}

// do applies o to what the request sees and notes it for the commit. It begins
// a session when there is none. Its error is kept already, but for errOutrun.
func (s *Session) do(o op) error {
	if err := s.load(); err != nil {
		return err
	}
	s.mu.Lock()
	err := s.doLocked(o)
	s.mu.Unlock()
	if err == errOutrun {
		return err
	}
	return s.fail(err)
}

func (s *Session) doLocked(o op) error {
	switch {
	case s.over:
		return errRequestOver
	case s.inDo && o.kind == opLogin:
		return errInsideDo
	}
	s.draftLocked()
	if o.kind == opUpdate && !o.fits(s.draft) {
		return errOutrun
	}
	if err := o.apply(s.draft); err != nil {
		return err
	}
	s.ops, s.commitFailed = append(s.ops, o), false
	if o.kind == opLogin {
		s.renewLocked()
	}
	return nil
}

// errOutrun: another goroutine of the request has changed the attribute that an
// update was made of.
var errOutrun = errors.New("changed by another goroutine of this request")

var errRequestOver = fmt.Errorf("%w: the request is over; use Manager.With", ErrTooLate)

// draftLocked makes sure that there is a draft to change.
func (s *Session) draftLocked() {
	if s.draft != nil {
		return
	}
	if s.view != nil {
		s.draft = s.view.Record.Clone()
		return
	}
	s.token = token{id: newID(), route: s.m.options.Route}
	s.draft = s.m.newRecord()
	s.state, s.begun = present, true
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

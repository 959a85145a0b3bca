package holdfast

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

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
	if !s.gate.TryLock() && !s.waitForGate() {
		return s.fail(errBusy)
	}
	defer s.gate.Unlock()
	return work()
}

// waitForGate reports whether it got gate in time.
func (s *Session) waitForGate() bool {
	for end := time.Now().Add(s.longestGate()); time.Now().Before(end); {
		time.Sleep(gateStep)
		if s.gate.TryLock() {
			return true
		}
	}
	return false
}

// longestGate is the longest time that anybody holds gate.
func (s *Session) longestGate() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &s.m.options
	if s.lock.asked || o.Locking.Mode != LockNone {
		return o.Locking.Wait + 2*o.OperationTimeout
	}
	return 2 * o.OperationTimeout
}

// gateStep is how often a goroutine looks whether another one of its request
// is done with the store.
const gateStep = 100 * time.Microsecond

var errBusy = fmt.Errorf("%w: another goroutine of this request holds the session, or a function given to Update uses it", ErrUnavailable)

// gated runs work while gate is held, and then the hooks of what happened.
func (s *Session) gated(work func() error) error {
	if s.m == nil {
		return ErrNoSession
	}
	if s.insideDo() {
		return s.fail(errInsideDo)
	}
	err := s.underGate(work)
	s.tell()
	return err
}

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
	lately := false
	for _, t := range s.presented() {
		view, err := s.loadAlone(t)
		if gone, ok := errors.AsType[*store.GoneError](err); ok {
			lately = lately || gone.Lately
		}
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
	s.state, s.elsewhere = nothing, lately
	s.mu.Unlock()
	return nil
}

// presented returns the tokens that the request presented.
func (s *Session) presented() []token {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil && s.req != nil {
		if s.room == nil {
			s.room = new(room)
		}
		s.tokens = s.m.transport.presented(s.room.tokens[:0], s.req)
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

// settleGated finds out what became of a commit with an unknown outcome, before
// anybody decides on what it may have changed.
func (s *Session) settleGated() error {
	s.mu.Lock()
	c := s.uncertain
	s.mu.Unlock()
	if c == nil {
		return nil
	}
	return s.fail(s.run(c))
}

// Refresh shows the session as it is stored now, with what this request has
// changed and not committed on top, and extends its life. It is for requests that
// go on for long: a stream that reads refreshes, a WebSocket that commits its
// changes has no need to. Its error is the caller's to answer for, as one of Err;
// with ErrNoSession the session has ended.
func (s *Session) Refresh() error {
	err := s.load()
	if err == nil {
		err = s.gated(s.refreshGated)
	}
	if err != nil {
		s.looked()
	}
	return err
}

func (s *Session) refreshGated() error {
	if err := s.settleGated(); err != nil {
		return err
	}
	s.mu.Lock()
	stored, t := s.view != nil, s.token
	s.mu.Unlock()
	if !stored {
		return nil
	}
	view, err := s.fetchStored(t)
	if err != nil {
		return s.fail(ended(err))
	}
	s.mu.Lock()
	s.view = view
	s.mu.Unlock()
	s.redraft()
	return nil
}

// ended is the error of reading a session again that this request has read before.
func ended(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: %w", ErrNoSession, err)
	}
	return err
}

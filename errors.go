package holdfast

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// What can go wrong, to be told apart with errors.Is. Errors of the store under
// a session are the same values as in package store.
var (
	// ErrUnavailable: the store could not be asked or did not answer within
	// Options.OperationTimeout. Nobody is logged out by it: ask the user to try
	// again.
	ErrUnavailable = store.ErrUnavailable

	// ErrUnknownOutcome: a change was sent and its answer did not come. It may
	// have happened. Calling Commit again finds out and never does it twice.
	// Errors that match it match ErrUnavailable too.
	ErrUnknownOutcome = store.ErrUnknownOutcome

	// ErrUnreadable: there is a session, but this program cannot read it, or
	// one of its attributes: a later format, a key that is not in the ring,
	// another codec, or damage. It is kept as it is.
	ErrUnreadable = record.ErrUnreadable

	// ErrConflict: the session changed hands since it was read (another owner
	// or another login), so this request's changes must not be applied to it.
	ErrConflict = store.ErrConflict

	// ErrLockTimeout: the session's lock could not be had within Locking.Wait. Errors
	// that match it match ErrUnavailable too.
	ErrLockTimeout = fmt.Errorf("session locked: %w", ErrUnavailable)

	// ErrLockLost: this request had the session's lock, and another request has
	// changed the session all the same, or might have: the process stood still for
	// longer than the lease, or the lock's node failed. Nothing was stored; begin
	// anew with another request. Errors that match it match ErrConflict too.
	ErrLockLost = fmt.Errorf("session lock lost: %w", ErrConflict)

	// ErrTooLarge: the session is above the limit of the store's node. The
	// stored session stays as it was. The error names size, limit and the
	// largest attributes.
	ErrTooLarge = store.ErrTooLarge

	// ErrTooLate: the change needs a cookie, and the response header has left;
	// or the request is over.
	ErrTooLate = errors.New("too late: the response header has left")

	// ErrRenewed: the session got a new id since this request began, by a login
	// or longer ago than Options.RenewGrace. If an answer of a node was lost before
	// that, the change may be part of what got the new id.
	ErrRenewed = store.ErrRenewed

	// ErrDestroyed: the session was destroyed since this request began.
	ErrDestroyed = store.ErrDestroyed

	// ErrTooManySessions: this server has Options.MaxSessions, and none more begins.
	ErrTooManySessions = store.ErrTooMany

	// ErrNoSession: there is no session here: outside of Manager.Handler, on an
	// ignored path, for an unknown id, or since the store lost it.
	ErrNoSession = errors.New("no session")

	// ErrNoAttribute: the session has no attribute of that name.
	ErrNoAttribute = errors.New("no such attribute")

	// ErrClosed: the Manager is shut down. Errors that match it match
	// ErrUnavailable too.
	ErrClosed = store.ErrClosed
)

// errInsideDo: the function given to Do has called something that commits.
var errInsideDo = errors.New("not inside the function given to Do: it commits by itself")

// StatusOf returns the HTTP status that fits a session's error: 503 for what may
// pass, 409 for changes that came too late against another's, 500 else; for
// ErrLockTimeout it is Locking.Status. It is what [Manager.Handler] answers when the
// handler has not looked at Session.Err.
func StatusOf(err error) int {
	if locked, ok := errors.AsType[*lockedError](err); ok {
		return locked.status
	}
	switch {
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrTooManySessions):
		return http.StatusServiceUnavailable
	case errors.Is(err, ErrConflict), errors.Is(err, ErrRenewed), errors.Is(err, ErrDestroyed), errors.Is(err, ErrNoSession):
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}

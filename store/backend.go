package store

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
)

// A Backend keeps sessions: what a manager talks to. It decides where a
// session lies, and makes a change happen exactly once or not at all. All
// methods are safe for concurrent use and end soon after their context does.
//
// Errors are told apart with errors.Is. ErrNotFound is said only when it is
// certain; whatever could not be found out is ErrUnavailable.
type Backend interface {
	// Load reads the session called id. hint is the node that the cookie
	// names, or "": it says where to look first and is never trusted. Load
	// extends the session's life, without making its caller wait.
	//
	// Errors: ErrNotFound (often as *GoneError), ErrUnavailable, record.ErrUnreadable.
	Load(ctx context.Context, id, hint string) (*View, error)

	// Commit makes change happen to the session called id, beginning with the
	// state base, or creates the session when base is nil. When somebody else
	// was faster, the change is applied to the newer state. After an
	// error that matches ErrUnknownOutcome the same *Change may be given
	// again: it happens once.
	//
	// Errors, each perhaps together with ErrUnknownOutcome: what change.Apply
	// returned, ErrDestroyed, ErrRenewed, ErrNotFound
	// (the store lost the session), ErrTooLarge, ErrUnavailable,
	// ErrUnknownOutcome, record.ErrUnreadable. One that does not match
	// ErrUnknownOutcome says that the change did not happen and will not; but after
	// ErrDestroyed, ErrRenewed and ErrNotFound it may have, before the end.
	Commit(ctx context.Context, id string, base *View, change *Change) (*View, error)

	// Destroy ends the session that was read as base, for good: no write under
	// way and no copy brings it back. It is no error if it had ended already.
	//
	// Errors: ErrRenewed (a login has moved it out of the reach of base),
	// ErrUnavailable, ErrUnknownOutcome, record.ErrUnreadable.
	Destroy(ctx context.Context, base *View) error

	// Close ends all work and closes the stores.
	Close() error
}

// A View is one state of a session, as it was read or written, and where it lies.
type View struct {
	Record       *record.Record // must not be changed
	LastAccessed time.Time      // the last use before this one; as exact as life is extended

	// Aliased: the session was renewed and this view was reached through its
	// former id, which is still good for a moment. The new id is not known
	// here, and no cookie may be sent.
	Aliased bool

	// Extended: this read extended the session's life, as happens once per
	// sixteenth of its idle timeout. A lasting cookie should be sent again.
	Extended bool

	Key  string // the storage key under which it lies; never an id
	Left string // after a renewal: the storage key under which it lay until then, where an alias stands now
	Seen any    // the backend's own notes of what it found where
}

// A Change is one commit. The caller keeps it until its outcome is known.
type Change struct {
	// Commit is a random number that tells this change from all others.
	Commit uint64

	// Apply makes the new state out of r, a private copy of the newest one (an
	// empty record when a session is created). It may be called more than once.
	Apply func(r *record.Record) error

	// Sync says that the change must be on the nodes before Commit returns, also where
	// changes usually go there later.
	Sync bool

	// Unused says that this is no use of the session: its life goes on as it was.
	Unused bool

	// RenewTo, if not "", moves the session to this new id. The former id stays
	// good for Grace, or finds nothing at once if the change has raised the
	// record's Login. A View that comes back Aliased says that
	// somebody else renewed first: the change happened, RenewTo was not used.
	RenewTo string
	Grace   time.Duration

	// Doubt is the backend's own notes of writes of this change that may have
	// happened without being acknowledged; nil: none may.
	Doubt any
}

// Uncertain reports whether a write of this change may have happened without being
// acknowledged.
func (ch *Change) Uncertain() bool { return ch.Doubt != nil }

// A GoneError is the ErrNotFound that knows what became of the session.
type GoneError struct {
	Reason record.Reason  // zero: it was renewed
	Ended  *record.Record // the session, if this very call ended it; else nil
	Lately bool           // it was renewed within its grace: the browser gets its new id just now
}

func (e *GoneError) Error() string {
	if e.Reason == 0 {
		return fmt.Sprintf("session %v: it was renewed", ErrNotFound)
	}
	return fmt.Sprintf("session %v: it ended by %s", ErrNotFound, e.Reason)
}

// Unwrap makes errors.Is(err, ErrNotFound) true.
func (e *GoneError) Unwrap() error { return ErrNotFound }

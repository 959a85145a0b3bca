// Package store is the contract between a session manager and the places where
// sessions lie.
//
// A [Store] keeps bytes under keys, with a time to live and a version for
// conditional writes. It knows nothing of sessions. Package storetest is the
// same contract as a test suite; every implementation passes it against the
// real server.
//
// A [Backend] speaks in records: it is what a manager talks to. Package
// placement implements it over any Stores.
package store

import (
	"context"
	"time"
)

// A Store keeps items under keys. All methods are safe for concurrent use, end
// soon after their context does, and copy what they need of their arguments
// before they return: except that a Value passed to Put must not be changed
// until Put returned.
//
// Keys are 1 to 250 bytes of printable ASCII without spaces; others are
// ErrBadKey. Flags survive byte for byte. A negative TTL is Forever. An item may outlive its TTL (by the granularity of the
// server's clock, or where the server cannot hold a TTL so long), and never
// lives shorter by more than one second, unless the server was emptied, was
// restarted or evicted it.
//
// Every error that is not one of the answers named here satisfies
// errors.Is(err, ErrUnavailable). A call whose context has ended already is not
// sent. A Put, Touch or Delete whose error also
// satisfies errors.Is(err, ErrUnknownOutcome) may have happened, or may still
// happen later; with any other error it has not happened and will not.
type Store interface {
	// Get reads the item under key. With Head the Value is left out; the other
	// fields are the same. An absent or expired item is ErrNotFound.
	// The caller owns the returned Value.
	Get(ctx context.Context, key string, part Part) (Item, error)

	// Put writes item under key if the version there is at, and returns the
	// new version. Absent means only if there is no item, Any means whatever
	// is there. Another version, or no item where a version was given, is
	// ErrConflict, and nothing changed. item.Version is ignored. An item that the
	// server cannot hold is ErrTooLarge or ErrFull; see there for what happens to
	// the stored one; that is said before the version is looked at.
	Put(ctx context.Context, key string, item Item, at Version) (Version, error)

	// Touch sets the time to live of the item under key, leaving value, flags
	// and version as they are. It returns the version of the item that it
	// touched. No item is ErrNotFound.
	Touch(ctx context.Context, key string, ttl time.Duration) (Version, error)

	// Delete removes the item under key if its version is at (Any: whatever is
	// there). An absent item is success. Another version, and any item where at
	// is Absent, is ErrConflict.
	Delete(ctx context.Context, key string, at Version) error
}

// A Starter is a Store whose calls can be started, and be asked for their answer
// later: so one goroutine has calls at several Stores under way.
type Starter interface {
	// StartGet and StartPut are Get and Put up to their answer. They wait for no node:
	// at most some milliseconds for a connection that takes nothing.
	// nil says that nothing was sent and the call is to be made in the other way,
	// which also tells what is wrong with it. What was passed is as for Put to be
	// left alone, until Wait has returned.
	StartGet(ctx context.Context, key string, part Part) Pending
	StartPut(ctx context.Context, key string, item Item, at Version) Pending
}

// A Pending is a call that was started.
type Pending interface {
	// Wait is the answer: for Get its item, for Put one that has the new version
	// and nothing else. It must be called once.
	Wait(ctx context.Context) (Item, error)
}

// An Item is one stored value with what the store knows of it.
type Item struct {
	Value   []byte
	Flags   uint32        // for the user of the store; kept as given
	TTL     time.Duration // time left, always positive; Forever (zero): does not expire
	Version Version       // set by Get
}

// Forever is the TTL of an item that does not expire.
const Forever time.Duration = 0

// A Part says how much of an item Get returns.
type Part uint8

const (
	Whole Part = iota // value, flags, TTL and version
	Head              // all but the value
)

// A Version is a store's own token for one state of one item. Versions are
// compared with ==. Stores make them; others only pass them on.
type Version struct {
	// Generation tells apart the incarnations of a server as this client saw
	// them, for example one number per connection. A version of another
	// generation never matches: servers such as memcached count tokens from 1
	// again after a restart. Real versions have a generation of at least 1.
	Generation uint64
	// Token is the server's compare-and-set token.
	Token uint64
}

var (
	// Absent is the version of an item that does not exist: a Put at Absent
	// creates and never overwrites.
	Absent = Version{}
	// Any matches every version and also no item at all: the write is
	// unconditional.
	Any = Version{Generation: 0, Token: 1}
)

// A Node is a store with a name. The name stands in session cookies and in
// records: 1 to 32 of [A-Za-z0-9_]. It must never be moved to another server.
type Node struct {
	Name  string
	Store Store
}

package store

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound: the store answered that there is no such item.
	ErrNotFound = errors.New("not found")

	// ErrConflict: the item has another version than the write named.
	ErrConflict = errors.New("changed by somebody else")

	// ErrUnavailable: the store could not be asked or did not answer in time.
	// It says nothing about whether an item exists.
	ErrUnavailable = errors.New("store unavailable")

	// ErrUnknownOutcome: a write was sent and its answer did not come. It may
	// have happened, and may even happen later. Errors that match it match
	// ErrUnavailable too.
	ErrUnknownOutcome = fmt.Errorf("outcome unknown: %w", ErrUnavailable)

	// ErrForgotten is the ErrUnknownOutcome that no further try can settle: a record
	// remembers the last [record.MaxCommits] commits, and there were more since.
	ErrForgotten = fmt.Errorf("%w: too many changes since", ErrUnknownOutcome)

	// ErrTooLarge: the item is above the size that the server accepts. Found
	// before sending, the stored item is as it was. memcached, when it finds it
	// itself, has dropped the stored item: read again.
	ErrTooLarge = errors.New("too large for the store")

	// ErrFull: the server has no memory for the item. memcached may have
	// dropped the stored item: read again.
	ErrFull = errors.New("store out of memory")

	// ErrTooMany: this server holds as many sessions as it may.
	ErrTooMany = errors.New("too many sessions")

	// ErrDestroyed: the session was destroyed since it was read.
	ErrDestroyed = errors.New("session destroyed")

	// ErrRenewed: the session got a new id since it was read, by a login or too
	// long ago for the former id to be good still.
	ErrRenewed = errors.New("session renewed under another id")

	// ErrClosed: the store was closed. Errors that match it match
	// ErrUnavailable too.
	ErrClosed = fmt.Errorf("closed: %w", ErrUnavailable)
)

// SizeError is the ErrTooLarge that knows the figures. Sizes are bytes of the
// whole item as the server counts it.
type SizeError struct {
	Size, Limit int
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("item of %d bytes, the store takes at most %d: %v", e.Size, e.Limit, ErrTooLarge)
}

// Unwrap makes errors.Is(err, ErrTooLarge) true.
func (e *SizeError) Unwrap() error { return ErrTooLarge }

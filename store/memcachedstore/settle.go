package memcachedstore

import (
	"errors"
	"fmt"

	"github.com/holdfast-sessions/holdfast/store"
)

// settle turns an answer into the result of r, but for the value: what the
// store.Store method returns. An error that matches errProtocol is for the
// connection as well: it cannot go on.
func (r *request) settle(a answer, generation uint64) (store.Item, error) {
	success, need := r.success()
	switch {
	case a.code == refused:
		return store.Item{}, r.refusal(a.text)
	case a.code != success:
		return store.Item{}, r.failure(a.code)
	case a.fields&need != need || need&hasCAS != 0 && a.cas == 0:
		return store.Item{}, fmt.Errorf("%w: a flag is missing", errProtocol)
	}
	version := store.Version{Generation: generation, Token: a.cas}
	return store.Item{Flags: a.flags, TTL: a.ttl, Version: version}, nil
}

// success is how the server says that it did r, and the flags that say what we
// want to know.
func (r *request) success() (code, fields) {
	switch r.verb {
	case get:
		return found, hasCAS | hasFlags | hasTTL
	case head:
		return done, hasCAS | hasFlags | hasTTL
	case remove:
		return done, 0
	default:
		return done, hasCAS
	}
}

// failure is the meaning of a code that is not success, or errProtocol if the
// code is no answer to r.
func (r *request) failure(c code) error {
	switch {
	case c == miss && r.verb == remove:
		return nil
	case c == miss && r.verb != put:
		return store.ErrNotFound
	case r.verb != put && r.verb != remove || r.at == store.Any:
	case c == miss && r.at != store.Absent, c == exists, c == notStored:
		return store.ErrConflict
	}
	return fmt.Errorf("%w to %v", errProtocol, r.verb)
}

// refusal is the meaning of a SERVER_ERROR. After the two that are part of the
// contract memcached skips the value. After another one it may take the value
// for commands, so a put must not go on.
func (r *request) refusal(text string) error {
	switch {
	case r.verb == put && text == "object too large for cache":
		return store.ErrTooLarge
	case r.verb == put && text == "out of memory storing object":
		return store.ErrFull
	case r.verb == put:
		return fmt.Errorf("%w: SERVER_ERROR %q", errProtocol, text)
	}
	return lost(r.verb, fmt.Errorf("the server says %q", text))
}

// unavailable is the error of a call that was not sent, or that asked for
// something and got no answer.
func unavailable(cause error) error {
	if errors.Is(cause, store.ErrUnavailable) {
		return cause
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, cause)
}

// lost is the error of a call that was sent and got no answer.
func lost(v verb, cause error) error {
	if v.writes() {
		return fmt.Errorf("%w: %w", store.ErrUnknownOutcome, cause)
	}
	return unavailable(cause)
}

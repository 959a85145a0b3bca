package store

import (
	"errors"
	"fmt"
)

// ErrBadKey says that a key is none. It is not ErrUnavailable: no other node and
// no later time would take it.
var ErrBadKey = errors.New("a key is 1 to 250 bytes of printable ASCII without spaces")

const maxKey = 250 // memcached's

// CheckKey returns an ErrBadKey if key is none, for stores to call first.
func CheckKey(key string) error {
	if len(key) == 0 || len(key) > maxKey {
		return fmt.Errorf("%d bytes: %w", len(key), ErrBadKey)
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return fmt.Errorf("byte %#x: %w", key[i], ErrBadKey)
		}
	}
	return nil
}

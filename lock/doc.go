// Package lock keeps locks of sessions on the cache nodes, for whoever wants that
// requests of one session go one after the other.
package lock

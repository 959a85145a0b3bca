package memcachedstore

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// A note says when an item of a classic server ends: no classic command does. It
// is an item of its own beside the first, which so stays what other dialects
// write and read. The fingerprint ties it to one content: a note that was
// overtaken by another write, or lost, is the same as none.
//
// Its value is three numbers: the fingerprint in 16 hexadecimal digits, the end
// in milliseconds since 1970 (0: none), the time to live in seconds.
type note struct {
	sum uint64
	end
}

// An end is when an item ends by the clock of who wrote it. Zero: never.
type end struct {
	at  int64 // milliseconds since 1970
	ttl int64 // seconds, as the server was told
}

func endOf(ttl time.Duration, now time.Time) end {
	seconds := wholeSeconds(ttl)
	if seconds == 0 {
		return end{}
	}
	return end{at: now.UnixMilli() + seconds*1000, ttl: seconds}
}

// noteKey is the key of the note of key. It has always the same length, since
// key may be as long as keys are.
func noteKey(key string) string {
	hash := sha256.Sum256([]byte(key))
	return "holdfast-end-" + hex.EncodeToString(hash[:16])
}

// noteRequest writes n beside the item under key, to end with it.
func noteRequest(key string, n note) request {
	value := fmt.Appendf(nil, "%016x %d %d", n.sum, n.at, n.ttl)
	item := store.Item{Value: value, TTL: time.Duration(n.ttl) * time.Second}
	return request{verb: put, key: noteKey(key), item: item, at: store.Any}
}

// parseNote returns the zero note for what is none.
func parseNote(value []byte) note {
	words := strings.Split(string(value), " ")
	if len(words) != 3 || len(words[0]) != 16 {
		return note{}
	}
	sum, err := strconv.ParseUint(words[0], 16, 64)
	at, atOK := parseUint([]byte(words[1]), 1<<53)
	ttl, ttlOK := parseUint([]byte(words[2]), uint64(maxTTL/time.Second))
	if err != nil || !atOK || !ttlOK || (at == 0) != (ttl == 0) {
		return note{}
	}
	return note{sum, end{at: int64(at), ttl: int64(ttl)}}
}

// left is the time that the item with that fingerprint has left: Forever if that
// is not known. It lives, so it has some; and clocks may differ, so it has no
// more than it was given.
func (n note) left(sum uint64, now time.Time) time.Duration {
	if n.sum != sum || n.at == 0 {
		return store.Forever
	}
	left := time.Duration(n.at-now.UnixMilli()) * time.Millisecond
	return min(max(left, time.Millisecond), time.Duration(n.ttl)*time.Second)
}

// fingerprint tells contents apart, FNV-1a. It is no defence: who can write to the
// server can do worse.
func fingerprint(flags uint32, value []byte) uint64 {
	const prime = 1099511628211
	sum := uint64(14695981039346656037)
	for _, b := range binary.BigEndian.AppendUint32(nil, flags) {
		sum = (sum ^ uint64(b)) * prime
	}
	for _, b := range value {
		sum = (sum ^ uint64(b)) * prime
	}
	return sum
}

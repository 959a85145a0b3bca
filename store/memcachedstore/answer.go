package memcachedstore

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// errProtocol: the server did not answer as memcached does. What else comes on
// this connection cannot be trusted.
var errProtocol = errors.New("unexpected answer")

// An answer is one line from the server, taken apart.
type answer struct {
	code   code
	size   int    // of the value that follows, with found
	cas    uint64 // the rest: as asked for
	flags  uint32
	ttl    time.Duration
	opaque uint16
	fields fields
	text   string // with refused: what the server says
}

// A code is the first word of an answer.
type code uint8

const (
	found     code = iota // VA: a value follows
	done                  // HD
	miss                  // EN, and NF where a write met no item
	notStored             // NS
	exists                // EX: another token
	refused               // SERVER_ERROR
)

// fields are the set of return flags in an answer.
type fields uint8

const (
	hasCAS fields = 1 << iota
	hasFlags
	hasTTL
	hasOpaque
)

// parseAnswer takes one line apart, without its line end.
func parseAnswer(line []byte) (answer, error) {
	word, rest, more := bytes.Cut(line, []byte(" "))
	var a answer
	switch string(word) {
	case "VA":
		var size []byte
		size, rest, more = bytes.Cut(rest, []byte(" "))
		n, ok := parseUint(size, maxSize)
		if !ok {
			return a, unexpected(line)
		}
		a.code, a.size = found, int(n)
	case "HD":
		a.code = done
	case "EN", "NF":
		a.code = miss
	case "NS":
		a.code = notStored
	case "EX":
		a.code = exists
	case "SERVER_ERROR":
		return answer{code: refused, text: string(excerpt(rest))}, nil
	default:
		return a, unexpected(line)
	}
	for more {
		var flag []byte
		flag, rest, more = bytes.Cut(rest, []byte(" "))
		if !a.parseFlag(flag) {
			return a, unexpected(line)
		}
	}
	return a, nil
}

// maxSize is the highest limit that a memcached can be given (-I 1024m).
const maxSize = 1 << 30

// parseFlag takes one return flag in. It accepts each flag that we ask for
// once, and the marks that another client's invalidation leaves on an item.
func (a *answer) parseFlag(flag []byte) bool {
	if len(flag) == 0 {
		return false
	}
	var ok bool
	var n uint64
	value := flag[1:]
	switch flag[0] {
	case 'c':
		a.cas, ok = parseUint(value, 1<<64-1)
		return ok && a.add(hasCAS)
	case 'f':
		n, ok = parseUint(value, 1<<32-1)
		a.flags = uint32(n)
		return ok && a.add(hasFlags)
	case 't':
		a.ttl, ok = parseTTL(value)
		return ok && a.add(hasTTL)
	case 'O':
		n, ok = parseUint(value, 1<<16-1)
		a.opaque = uint16(n)
		return ok && a.add(hasOpaque)
	case 'W', 'X', 'Z':
		return len(value) == 0
	}
	return false
}

func (a *answer) add(f fields) bool {
	isNew := a.fields&f == 0
	a.fields |= f
	return isNew
}

// parseTTL reads the seconds left; -1 is for ever. An item in its last moment
// has 0, which must not be taken for Forever.
func parseTTL(b []byte) (time.Duration, bool) {
	if string(b) == "-1" {
		return store.Forever, true
	}
	n, ok := parseUint(b, 1<<32)
	return max(time.Duration(n)*time.Second, time.Millisecond), ok
}

// parseUint is strconv.ParseUint for bytes, stricter: only digits.
func parseUint(b []byte, limit uint64) (uint64, bool) {
	if len(b) == 0 {
		return 0, false
	}
	var n uint64
	for _, d := range b {
		if d -= '0'; d > 9 || n > (limit-uint64(d))/10 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	return n, true
}

// unexpected is errProtocol for line. It shows what memcached says of a command
// and nothing else: any other line may be a piece of a stored value.
func unexpected(line []byte) error {
	if string(line) == "ERROR" || bytes.HasPrefix(line, []byte("CLIENT_ERROR ")) {
		return fmt.Errorf("%w: %q", errProtocol, excerpt(line))
	}
	return fmt.Errorf("%w: a line of %d bytes", errProtocol, len(line))
}

// excerpt is the beginning of what a server sent, short enough for an error.
func excerpt(line []byte) []byte {
	return line[:min(len(line), 80)]
}

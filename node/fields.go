package node

import (
	"bytes"
	"math"
)

// fields are the words of a command line, the command first.
type fields [][]byte

// split cuts a line at its spaces. Other white space belongs to a word. What
// follows a zero byte is not seen, as in memcached.
func split(line []byte) fields {
	if i := bytes.IndexByte(line, 0); i >= 0 {
		line = line[:i]
	}
	var words fields
	for word := range bytes.SplitSeq(line, []byte{' '}) {
		if len(word) > 0 {
			words = append(words, word)
		}
	}
	return words
}

// quiet reports whether the line ends in noreply.
func (f fields) quiet() bool { return string(f[len(f)-1]) == "noreply" }

// The numbers of the protocol are what C's strtol and strtoull make of a word:
// white space before and after and a sign are accepted, what does not fit in 64
// bits is refused, what does not fit in 32 is cut off.

func parseInt32(word []byte) (int32, bool) {
	magnitude, negative, ok := parseNumber(word)
	switch {
	case !ok, !negative && magnitude > math.MaxInt64, negative && magnitude > 1<<63:
		return 0, false
	case negative:
		return -int32(magnitude), true
	default:
		return int32(magnitude), true
	}
}

func parseUint32(word []byte) (uint32, bool) {
	n, ok := parseUint64(word)
	return uint32(n), ok
}

// parseUint64 refuses a minus only where it shows: -1 is a large number and is
// refused, -18446744073709551615 is 1.
func parseUint64(word []byte) (uint64, bool) {
	n, negative, ok := parseNumber(word)
	if negative {
		n = -n
	}
	if !ok || int64(n) < 0 && bytes.IndexByte(word, '-') >= 0 {
		return 0, false
	}
	return n, true
}

func parseNumber(word []byte) (magnitude uint64, negative, ok bool) {
	const white = " \t\n\v\f\r"
	word = bytes.TrimLeft(word, white)
	if len(word) > 0 && (word[0] == '-' || word[0] == '+') {
		negative = word[0] == '-'
		word = word[1:]
	}
	digits := 0
	for digits < len(word) && '0' <= word[digits] && word[digits] <= '9' {
		digit := uint64(word[digits] - '0')
		if magnitude > (math.MaxUint64-digit)/10 {
			return 0, false, false
		}
		magnitude = magnitude*10 + digit
		digits++
	}
	if digits == 0 || digits < len(word) && bytes.IndexByte([]byte(white), word[digits]) < 0 {
		return 0, false, false
	}
	return magnitude, negative, true
}

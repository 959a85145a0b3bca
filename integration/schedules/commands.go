package schedules

import (
	"bytes"
	"strconv"
)

// A command is one of those that a message carries.
type command struct {
	text  []byte // the line and the value
	verb  string
	key   string
	add   bool   // it stores where nothing is
	flags uint32 // of what it stores
}

// commandsIn splits a message: the client sends whole commands.
func commandsIn(b []byte) (all []command) {
	for len(b) > 0 {
		line, _, _ := bytes.Cut(b, []byte("\r\n"))
		c := parse(line)
		size := len(line) + 2
		if c.verb == "ms" {
			size += valueSize(line) + 2
		}
		size = min(size, len(b))
		c.text, b = b[:size], b[size:]
		all = append(all, c)
	}
	return all
}

func parse(line []byte) (c command) {
	for i, word := range bytes.Fields(line) {
		switch {
		case i == 0:
			c.verb = string(word)
		case i == 1:
			c.key = string(word)
		case c.verb != "ms":
			return c
		case string(word) == "ME":
			c.add = true
		case word[0] == 'F':
			n, _ := strconv.ParseUint(string(word[1:]), 10, 32)
			c.flags = uint32(n)
		}
	}
	return c
}

func valueSize(line []byte) int {
	words := bytes.Fields(line)
	if len(words) < 3 {
		return 0
	}
	n, _ := strconv.Atoi(string(words[2]))
	return n
}

// withoutConditions makes every write of a session one that always stores.
func withoutConditions(b []byte) (out []byte) {
	for _, c := range commandsIn(b) {
		line, rest, _ := bytes.Cut(c.text, []byte("\r\n"))
		if c.verb != "ms" || c.add {
			out = append(out, c.text...)
			continue
		}
		var words [][]byte
		for i, word := range bytes.Fields(line) {
			if i < 3 || word[0] != 'C' {
				words = append(words, word)
			}
		}
		out = append(out, bytes.Join(words, []byte(" "))...)
		out = append(append(out, "\r\n"...), rest...)
	}
	return out
}

// Parts of the flags of a stored session, as docs/protocol.md and package placement
// have them.
const (
	revisionBits = 23
	kindShift    = 30
)

func (c *command) isRecord() bool { return c.flags>>kindShift == 0 && len(c.key) == sessionKeySize }
func (c *command) revision() int  { return int(c.flags & (1<<revisionBits - 1)) }

const sessionKeySize = 43

package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// A Command is one request of memcached's text protocol.
type Command struct {
	Verb string // "mg", "ms", "set", …
	Key  string // the first word after the verb; empty if there is none
	raw  []byte // as sent, with line ends and data block
}

// Has reports whether a meta command carries the flag, with whatever argument.
func (c Command) Has(flag byte) bool {
	line, _, _ := bytes.Cut(c.raw, []byte("\r\n"))
	words := bytes.Fields(line)
	first := 2
	if c.Verb == "ms" {
		first = 3 // the length of the data comes before the flags
	}
	for _, word := range words[min(first, len(words)):] {
		if word[0] == flag {
			return true
		}
	}
	return false
}

// dataLength says in which word of the line the length of the data block
// stands, for the verbs that have one (protocol.txt of memcached, "Storage
// commands" and "Meta Set").
var dataLength = map[string]int{
	"ms": 2, "set": 4, "add": 4, "replace": 4, "append": 4, "prepend": 4, "cas": 4,
}

const maxBlock = 64 << 20 // far above what any memcached accepts

// readCommand reads one command with its data block.
func readCommand(r *bufio.Reader) (Command, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return Command{}, err
	}
	words := bytes.Fields(line)
	cmd := Command{raw: line}
	if len(words) > 0 {
		cmd.Verb = string(words[0])
	}
	if len(words) > 1 {
		cmd.Key = string(words[1])
	}
	at, storing := dataLength[cmd.Verb]
	if !storing || len(words) <= at {
		return cmd, nil
	}
	size, err := strconv.Atoi(string(words[at]))
	if err != nil || size < 0 || size > maxBlock {
		return Command{}, fmt.Errorf("no length of data in %q", line)
	}
	block := make([]byte, size+len("\r\n"))
	if _, err := io.ReadFull(r, block); err != nil {
		return Command{}, err
	}
	cmd.raw = append(cmd.raw, block...)
	return cmd, nil
}

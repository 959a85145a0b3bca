package memcachedstore

import (
	"bytes"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// receive makes the result of cl from one line, or for a read from all up to END.
func (d classic) receive(c *conn, cl *call, line []byte) (store.Item, error) {
	if text, ok := bytes.CutPrefix(line, []byte("SERVER_ERROR")); ok {
		return store.Item{}, cl.refusal(string(excerpt(bytes.TrimPrefix(text, []byte(" ")))))
	}
	if cl.verb == get || cl.verb == head {
		return d.receiveItem(c, cl, line)
	}
	code, err := parseWord(line)
	switch {
	case err != nil:
		return store.Item{}, err
	case code == cl.successWord():
		return store.Item{}, nil
	case code == "NOT_FOUND":
		return store.Item{}, cl.failure(miss)
	case code == "EXISTS":
		return store.Item{}, cl.failure(exists)
	case code == "NOT_STORED":
		return store.Item{}, cl.failure(notStored)
	}
	return store.Item{}, fmt.Errorf("%w to %v", errProtocol, cl.verb)
}

// successWord is how the server says that it did r.
func (r *request) successWord() string {
	switch {
	case r.verb == touch:
		return "TOUCHED"
	case r.verb == remove && r.at == store.Any:
		return "DELETED"
	}
	return "STORED"
}

// parseWord takes the one line of an answer to a write.
func parseWord(line []byte) (string, error) {
	switch word := string(line); word {
	case "STORED", "TOUCHED", "DELETED", "NOT_FOUND", "EXISTS", "NOT_STORED":
		return word, nil
	}
	return "", unexpected(line)
}

// receiveItem reads the item of cl and the note of its end, in whatever order
// they come.
func (d classic) receiveItem(c *conn, cl *call, line []byte) (store.Item, error) {
	var item store.Item
	var token uint64
	var n note
	for string(line) != "END" {
		v, err := parseValue(line)
		if err != nil {
			return store.Item{}, err
		}
		wanted := string(v.key) == cl.key
		if !wanted && string(v.key) != noteKey(cl.key) || wanted && token != 0 {
			return store.Item{}, fmt.Errorf("%w: it belongs to another command", errProtocol)
		}
		flags, cas := v.flags, v.token // v.key ends with the next read
		value, err := c.value(cl, v.size, d.limit(c))
		if err != nil {
			return store.Item{}, err
		}
		if wanted {
			item, token = store.Item{Value: value, Flags: flags}, cas
		} else {
			n = parseNote(value)
		}
		if line, err = readLine(c.in); err != nil {
			return store.Item{}, fmt.Errorf("%w: an answer cut short: %w", errProtocol, err)
		}
	}
	if token == 0 {
		return store.Item{}, store.ErrNotFound
	}
	sum := fingerprint(item.Flags, item.Value)
	item.TTL, item.Version = n.left(sum, time.Now()), d.version(c.generation, token, sum)
	if cl.verb == head {
		item.Value = nil
	}
	return item, nil
}

// limit bounds what is read: a server that does not tell may have a higher limit
// than the one that is assumed for writing.
func (d classic) limit(c *conn) int {
	if d.hidden {
		return maxSize
	}
	return c.maxItem
}

// A valueLine is the line before a value. Its key is valid until the next read.
type valueLine struct {
	key   []byte
	flags uint32
	size  int
	token uint64
}

// parseValue takes apart: VALUE <key> <flags> <bytes> <cas unique>.
func parseValue(line []byte) (valueLine, error) {
	words := bytes.Split(line, []byte(" "))
	if len(words) != 5 || string(words[0]) != "VALUE" || len(words[1]) == 0 {
		return valueLine{}, unexpected(line)
	}
	flags, flagsOK := parseUint(words[2], 1<<32-1)
	size, sizeOK := parseUint(words[3], maxSize)
	token, tokenOK := parseUint(words[4], 1<<64-1)
	if !flagsOK || !sizeOK || !tokenOK || token == 0 {
		return valueLine{}, unexpected(line)
	}
	return valueLine{key: words[1], flags: uint32(flags), size: int(size), token: token}, nil
}

// complete finds all values and END, or the one line of any other answer.
func (classic) complete(b []byte) bool {
	for {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		if !ok || !bytes.HasPrefix(line, []byte("VALUE ")) {
			return ok
		}
		v, err := parseValue(bytes.TrimSuffix(line, []byte("\r")))
		if err != nil || len(rest) < v.size+2 {
			return err != nil
		}
		b = rest[v.size+2:]
	}
}

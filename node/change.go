package node

import (
	"bytes"
	"strconv"
)

// delete is delete <key> [0] [noreply].
func (cl *client) delete(words fields) error {
	switch {
	case !cl.validDelete(words):
		cl.reply(badLine + ".  Usage: delete <key> [noreply]")
	case len(words[1]) > maxKey:
		cl.reply(badLine)
	case cl.srv.delete(words[1]):
		cl.reply("DELETED")
	default:
		cl.reply("NOT_FOUND")
	}
	return nil
}

func (s *Server) delete(key []byte) bool {
	s.cacheMu.Lock()
	defer s.cacheMu.Unlock()
	it := s.cache.find(key)
	s.cache.counts.deletion(it != nil)
	if it != nil {
		s.cache.unlink(it)
	}
	return it != nil
}

// validDelete accepts the time of old clients if it is 0.
func (cl *client) validDelete(words fields) bool {
	if len(words) == 2 {
		return true
	}
	cl.quiet = words.quiet()
	zero := string(words[2]) == "0"
	return len(words) == 3 && (zero || cl.quiet) || len(words) == 4 && zero && cl.quiet
}

// touch is touch <key> <exptime> [noreply].
func (cl *client) touch(words fields) error {
	cl.quiet = words.quiet()
	exptime, ok := parseInt32(words[2])
	switch {
	case len(words[1]) > maxKey:
		cl.reply(badLine)
	case !ok:
		cl.reply("CLIENT_ERROR invalid exptime argument")
	case cl.srv.touch(words[1], cl.srv.clock.end(exptime)):
		cl.reply("TOUCHED")
	default:
		cl.reply("NOT_FOUND")
	}
	return nil
}

func (s *Server) touch(key []byte, end tick) bool {
	s.cacheMu.Lock()
	defer s.cacheMu.Unlock()
	it := s.cache.find(key)
	s.cache.counts.read(it != nil, true)
	if it == nil {
		return false
	}
	s.cache.hit(it)
	it.end = end
	return true
}

// arithmetic is incr and decr <key> <delta> [noreply].
func arithmetic(up bool) func(*client, fields) error {
	return func(cl *client, words fields) error {
		cl.quiet = words.quiet()
		delta, ok := parseUint64(words[2])
		switch {
		case len(words[1]) > maxKey:
			cl.reply(badLine)
		case !ok:
			cl.reply("CLIENT_ERROR invalid numeric delta argument")
		default:
			cl.reply(cl.srv.add(words[1], delta, up))
		}
		return nil
	}
}

func (s *Server) add(key []byte, delta uint64, up bool) (answer string) {
	s.cacheMu.Lock()
	defer s.cacheMu.Unlock()
	it := s.cache.find(key)
	if it == nil {
		s.cache.counts.arithmetic(up, false)
		return "NOT_FOUND"
	}
	number, refusal := s.cache.add(it, delta, up)
	if refusal != "" {
		return refusal
	}
	return strconv.FormatUint(number, 10)
}

// add adds delta to the number that it holds, or takes it away. If the result
// has more digits, another item takes the place of it; only its cas is told, so
// that a T of the same command is lost, as in memcached.
func (c *cache) add(it *item, delta uint64, up bool) (number uint64, refusal string) {
	text, _, _ := bytes.Cut(it.value, []byte{0})
	number, ok := parseUint64(text)
	if !ok || !it.mayCount() {
		return 0, noNumber
	}
	switch {
	case up:
		number += delta
	case delta > number:
		number = 0
	default:
		number -= delta
	}
	c.counts.arithmetic(up, true)
	digits := strconv.AppendUint(nil, number, 10)
	if len(digits) <= len(it.value) {
		c.overwrite(it, digits)
		return number, ""
	}
	longer := &item{key: it.key, value: digits, flags: it.flags, end: it.end}
	if !c.reserve(longer.charge()) {
		return 0, "SERVER_ERROR out of memory"
	}
	c.link(longer)
	it.cas = longer.cas
	return number, ""
}

// inPieces is the size above which memcached keeps an item in pieces, and does
// not look for a number in it.
const inPieces = 512 << 10

func (it *item) mayCount() bool { return len(it.value) > 0 && it.size() <= inPieces }

// overwrite puts digits in the place of the value, and spaces behind them: the
// length stays, and so do the marks of the item.
func (c *cache) overwrite(it *item, digits []byte) {
	value := make([]byte, len(it.value)) // an answer under way may use the old one
	for i := copy(value, digits); i < len(value); i++ {
		value[i] = ' '
	}
	it.value = value
	c.renew(it)
}

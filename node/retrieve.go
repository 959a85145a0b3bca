package node

import (
	"slices"
	"strconv"
)

// fetch is get, gets, gat and gats.
func fetch(withCAS, touch bool) func(*client, fields) error {
	return func(cl *client, words fields) error {
		keys, end := words[1:], (*tick)(nil)
		if touch {
			exptime, ok := parseInt32(words[1])
			if !ok {
				cl.reply("CLIENT_ERROR invalid exptime argument")
				return nil
			}
			at := cl.srv.clock.end(exptime)
			keys, end = words[2:], &at
		}
		cl.fetch(keys, end, withCAS)
		return nil
	}
}

// fetch sends the items under keys and gives each the new end, if there is one.
// A key that is too long makes the whole answer an error, but what stands before
// it was fetched.
func (cl *client) fetch(keys fields, end *tick, withCAS bool) {
	tooLong := slices.IndexFunc(keys, func(key []byte) bool { return len(key) > maxKey })
	if tooLong >= 0 {
		keys = keys[:tooLong]
	}
	for _, key := range keys {
		value, ok := cl.fetchOne(key, end, withCAS)
		if ok && tooLong < 0 {
			cl.send(value)
		}
	}
	if tooLong >= 0 {
		cl.reply(badLine)
		return
	}
	cl.reply("END")
}

// fetchOne prepares the VALUE line of the item under key.
func (cl *client) fetchOne(key []byte, end *tick, withCAS bool) (value []byte, ok bool) {
	cl.srv.cacheMu.Lock()
	defer cl.srv.cacheMu.Unlock()
	c := cl.srv.cache
	it := c.find(key)
	c.counts.read(it != nil, end != nil)
	if it == nil {
		return nil, false
	}
	c.hit(it)
	if end != nil {
		it.end = *end
	}
	line := append(cl.line[:0], "VALUE "...)
	line = append(line, it.key...)
	line = strconv.AppendUint(append(line, ' '), uint64(it.flags), 10)
	line = strconv.AppendInt(append(line, ' '), int64(len(it.value)), 10)
	if withCAS {
		line = strconv.AppendUint(append(line, ' '), it.cas, 10)
	}
	cl.line = line
	return it.value, true
}

// send sends the line under construction and the value that it announces.
func (cl *client) send(value []byte) {
	cl.sendLine()
	_, _ = cl.out.Write(value)
	_, _ = cl.out.WriteString("\r\n")
}

func (cl *client) sendLine() {
	cl.line = append(cl.line, "\r\n"...)
	_, _ = cl.out.Write(cl.line)
}

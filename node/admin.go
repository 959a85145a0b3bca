package node

// Version is what the command version says: the memcached that the node
// answers like, and that it is another program.
const Version = "1.6.18-holdfast"

// flushAll is flush_all [delay] [noreply].
func (cl *client) flushAll(words fields) error {
	cl.quiet = words.quiet()
	delay := int32(0)
	if bare := len(words) == 1 || len(words) == 2 && cl.quiet; !bare {
		n, ok := parseInt32(words[1])
		if !ok {
			cl.reply("CLIENT_ERROR invalid exptime argument")
			return nil
		}
		delay = n
	}
	cl.srv.flush(cl.srv.clock.end(delay))
	cl.reply("OK")
	return nil
}

// verbosity is accepted and changes nothing: the node has no log.
func (cl *client) verbosity(words fields) error {
	cl.quiet = words.quiet()
	if _, ok := parseUint32(words[1]); !ok {
		cl.reply(badLine)
		return nil
	}
	cl.reply("OK")
	return nil
}

package node

import "strconv"

// metaDelete is md <key> <flags>*: with I it marks the item as stale.
func (cl *client) metaDelete(c *cache, r *metaRequest) metaAnswer {
	word, done := "NF", false
	if answer := cl.echo("", r); answer.refusal != "" {
		return answer
	}
	echoed := string(cl.line)
	it := c.find(r.key)
	c.counts.deletion(it != nil)
	switch {
	case it == nil:
	case r.named && it.cas != r.cas:
		word = "EX"
	case r.stale:
		word, done = "HD", true
		it.stale, it.won = true, false
		if r.setEnd {
			it.end = r.end
		}
		c.renew(it)
	default:
		word, done = "HD", true
		c.unlink(it)
	}
	cl.line = append(append(cl.line[:0], word...), echoed...)
	return metaAnswer{silent: done && r.quiet}
}

// metaArithmetic is ma <key> <flags>*.
func (cl *client) metaArithmetic(c *cache, r *metaRequest) metaAnswer {
	up := true
	switch r.mode {
	case 0, 'I', '+':
	case 'D', '-':
		up = false
	default:
		return metaAnswer{refusal: "CLIENT_ERROR invalid mode for ma M token"}
	}
	it := c.find(r.key)
	switch {
	case it == nil && r.vivify:
		return cl.begin(c, r)
	case it == nil:
		c.counts.arithmetic(up, false)
		return cl.echo("NF", r)
	case r.cas != 0 && it.cas != r.cas && it.mayCount():
		return cl.echo("EX", r)
	}
	number, refusal := c.add(it, r.delta, up)
	if refusal != "" {
		return metaAnswer{refusal: refusal}
	}
	answer := cl.result(r, it, number, false)
	answer.silent = r.quiet && answer.refusal == ""
	return answer
}

// begin stores the initial value of a number.
func (cl *client) begin(c *cache, r *metaRequest) metaAnswer {
	it := c.make(r, strconv.FormatUint(r.initial, 10))
	if it == nil {
		return metaAnswer{refusal: "SERVER_ERROR Out of memory allocating new item"}
	}
	return cl.result(r, it, r.initial, true)
}

// result answers with the number that the item has now.
func (cl *client) result(r *metaRequest, it *item, number uint64, made bool) metaAnswer {
	digits := strconv.AppendUint(nil, number, 10)
	cl.announce(r, len(digits))
	for _, flag := range r.flags {
		switch flag[0] {
		case 'c':
			cl.field('c', it.cas)
		case 't':
			cl.left(it, cl.srv.clock.now())
		case 'T':
			it.end = r.end
		case 'N':
			if made {
				it.end = r.born
			}
		default:
			if !cl.echoFlag(flag, r.key, r.binary) {
				return metaAnswer{refusal: longOpaque}
			}
		}
	}
	return metaAnswer{value: digits, hasValue: r.value}
}

// metaDebug is me <key> [b]: what the node knows of an item.
func (cl *client) metaDebug(words fields) error {
	if len(words) < 2 || len(words[1]) > maxKey {
		cl.reply(badLine)
		return nil
	}
	key := words[1]
	if len(words) >= 3 && string(words[2]) == "b" {
		decoded, ok := decodeKey(key)
		if !ok {
			cl.reply(badLine)
			return nil
		}
		key = decoded
	}
	cl.reply(cl.srv.debug(key))
	return nil
}

func (s *Server) debug(key []byte) string {
	s.cacheMu.Lock()
	defer s.cacheMu.Unlock()
	it := s.cache.find(key)
	if it == nil {
		return "EN"
	}
	shown := it.key
	if it.binary {
		shown = string(encodeKey(nil, key))
	}
	now := s.clock.now()
	exp, fetch := "-1", "no"
	if it.end != never {
		exp = strconv.FormatInt(int64(now-it.end), 10)
	}
	if it.fetched {
		fetch = "yes"
	}
	// cls is the slab class, of which there is one here.
	return "ME " + shown + " exp=" + exp + " la=" + strconv.FormatInt(int64(now-it.used), 10) +
		" cas=" + strconv.FormatUint(it.cas, 10) + " fetch=" + fetch + " cls=1 size=" + strconv.Itoa(it.size())
}

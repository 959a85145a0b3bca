package node

// metaGet is mg <key> <flags>*.
func (cl *client) metaGet(c *cache, r *metaRequest) metaAnswer {
	it := c.find(r.key)
	c.counts.read(it != nil, r.setEnd)
	made := it == nil && r.vivify
	if made {
		it = c.make(r, "")
	}
	if it == nil {
		answer := cl.echo("EN", r)
		answer.silent = r.quiet
		return answer
	}
	if !r.noUpdate && !r.late {
		c.hit(it)
	}
	cl.announce(r, len(it.value))
	renew := made
	for _, flag := range r.flags {
		switch flag[0] {
		case 'T':
			it.end = r.end
		case 'N':
			if made {
				it.end = r.born
			}
		case 'R':
			renew = renew || !it.won && !made && it.end != never && it.end < r.recache
		default:
			if !cl.describe(it, flag) {
				return metaAnswer{refusal: longOpaque}
			}
		}
	}
	cl.marks(it, renew)
	if !r.noUpdate && r.late {
		c.hit(it)
	}
	return metaAnswer{value: it.value, hasValue: r.value}
}

// make stores an item with value under the key of r, if there is memory for it.
// Its end comes with the flag N, in the order of the flags.
func (c *cache) make(r *metaRequest, value string) *item {
	it := &item{key: string(r.key), value: []byte(value)}
	if !c.reserve(it.charge()) {
		return nil
	}
	c.link(it)
	return it
}

// describe adds what a flag asks about the item to the line.
func (cl *client) describe(it *item, flag []byte) bool {
	now := cl.srv.clock.now()
	switch flag[0] {
	case 's':
		cl.field('s', uint64(len(it.value)))
	case 't':
		cl.left(it, now)
	case 'c':
		cl.field('c', it.cas)
	case 'f':
		cl.field('f', uint64(it.flags))
	case 'l':
		cl.field('l', uint64(now-it.used))
	case 'h':
		read := uint64(0)
		if it.fetched {
			read = 1
		}
		cl.field('h', read)
	default:
		return cl.echoFlag(flag, []byte(it.key), it.binary)
	}
	return true
}

// marks adds Z (somebody else was told to renew the item), X (it is stale) and W
// (renew it, nobody else was told) to the line.
func (cl *client) marks(it *item, renew bool) {
	if it.won {
		cl.line = append(cl.line, " Z"...)
	}
	if it.stale {
		cl.line = append(cl.line, " X"...)
		renew = renew || !it.won
	}
	if renew {
		cl.line = append(cl.line, " W"...)
		it.won = true
	}
}

package node

import "slices"

// A mode is one of the ways to write an item.
type mode byte

const (
	modeSet mode = iota
	modeAdd
	modeReplace
	modeAppend
	modePrepend
	modeCAS
)

// An outcome is how a write ended.
type outcome byte

const (
	stored outcome = iota
	notStored
	exists
	notFound
)

// A write is an item on its way into the cache.
type write struct {
	*item
	length   int // announced for the value, which is read later
	reserved int // of the cache's memory
	mode     mode
	cas      uint64 // 0: none named, which at modeCAS matches nothing
	staled   bool   // I: a cas that is too old stores the value as stale
}

// prepare reserves the memory of w and says in words why it cannot. A refused
// write loses the stored item if drop says so: what is there shall not be older
// than what the client believes.
func (c *cache) prepare(w *write, drop bool) (refusal string) {
	size := itemSize(len(w.key), w.length, w.flags)
	switch {
	case size > c.maxItem:
		refusal = "SERVER_ERROR object too large for cache"
	case !c.reserve(size + beside):
		refusal = "SERVER_ERROR out of memory storing object"
	default:
		w.reserved = size + beside
		return ""
	}
	if it := c.find([]byte(w.key)); it != nil && drop {
		c.unlink(it)
	}
	return refusal
}

// store does w, or gives its memory back. cas is that of the item if it was stored.
func (c *cache) store(w *write) (out outcome, cas uint64) {
	c.counts.set++
	it, out := c.decide(w, c.find([]byte(w.key)))
	if it != w.item {
		c.release(w.reserved)
	}
	if out != stored {
		return out, 0
	}
	c.link(it)
	return stored, it.cas
}

// decide returns the item that w makes of old, which is nil if there is none.
func (c *cache) decide(w *write, old *item) (*item, outcome) {
	if old == nil {
		switch w.mode {
		case modeSet, modeAdd:
			return w.item, stored
		case modeCAS:
			return nil, notFound
		default:
			return nil, notStored
		}
	}
	switch w.mode {
	case modeAdd:
		return nil, notStored
	case modeCAS:
		return w.compare(old)
	case modeAppend, modePrepend:
		return c.join(w, old)
	default:
		return w.item, stored
	}
}

func (w *write) compare(old *item) (*item, outcome) {
	switch {
	case w.cas == 0:
		return nil, exists
	case w.cas == old.cas:
		return w.item, stored
	case w.staled && w.cas < old.cas:
		w.end, w.stale, w.won = old.end, true, old.won
		return w.item, stored
	default:
		return nil, exists
	}
}

// join makes an item of old's value and w's, with all else from old.
func (c *cache) join(w *write, old *item) (*item, outcome) {
	if w.cas != 0 && w.cas != old.cas {
		return nil, exists
	}
	joined := &item{key: old.key, flags: old.flags, end: old.end}
	if w.mode == modeAppend {
		joined.value = slices.Concat(old.value, w.value)
	} else {
		joined.value = slices.Concat(w.value, old.value)
	}
	if joined.size() > c.maxItem || !c.reserve(joined.charge()) {
		return nil, notStored
	}
	return joined, stored
}

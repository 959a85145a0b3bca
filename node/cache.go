package node

// A cache holds the items. It is not safe for concurrent use.
type cache struct {
	clock   clock
	maxItem int
	limit   int // of memory
	memory  int // charges of the items and of what is reserved

	items      map[string]*item
	ring       item   // closes the list by last use: the newest item is ring.older, the oldest ring.newer
	lastCAS    uint64 // counts from 1, as memcached does after a restart
	bytes      int    // sizes of the items
	oldestLive tick   // of a flush_all with a delay: from then on, items used until then are dead
	counts     counts
}

func newCache(c clock, maxItem, limit int) *cache {
	cc := &cache{clock: c, maxItem: maxItem, limit: limit}
	cc.empty()
	return cc
}

func (c *cache) empty() {
	for _, it := range c.items {
		c.memory -= it.charge()
	}
	c.items = map[string]*item{}
	c.ring.newer, c.ring.older = &c.ring, &c.ring
	c.bytes = 0
}

// find returns the item under key, or nil if there is none that lives.
func (c *cache) find(key []byte) *item {
	it := c.items[string(key)]
	if it != nil && c.dead(it) {
		c.unlink(it)
		return nil
	}
	return it
}

func (c *cache) dead(it *item) bool {
	now := c.clock.now()
	flushed := c.oldestLive != never && c.oldestLive <= now && it.used <= c.oldestLive
	return flushed || it.end != never && it.end <= now
}

// link puts it in the place of what is under its key and gives it a new cas.
// The caller has reserved its charge.
func (c *cache) link(it *item) {
	if old := c.items[it.key]; old != nil {
		c.unlink(old)
	}
	it.used = c.clock.now()
	c.renew(it)
	c.items[it.key] = it
	c.bytes += it.size()
	c.counts.stored++
	c.toFront(it)
}

// renew gives it a cas that no item ever had.
func (c *cache) renew(it *item) {
	c.lastCAS++
	it.cas = c.lastCAS
}

// unlink removes it and frees its memory.
func (c *cache) unlink(it *item) {
	delete(c.items, it.key)
	it.newer.older, it.older.newer = it.older, it.newer
	c.bytes -= it.size()
	c.memory -= it.charge()
}

func (c *cache) toFront(it *item) {
	it.newer, it.older = &c.ring, c.ring.older
	it.newer.older, it.older.newer = it, it
}

// hit notes that it was read. The time of last access moves from the second
// read on, as memcached's does.
func (c *cache) hit(it *item) {
	it.newer.older, it.older.newer = it.older, it.newer
	c.toFront(it)
	switch {
	case !it.fetched:
		it.fetched = true
	case !it.active:
		it.active = true
		it.used = c.clock.now()
	}
}

// reserve makes room for size bytes, at the cost of the items that were not
// used for longest.
func (c *cache) reserve(size int) bool {
	for c.memory+size > c.limit {
		oldest := c.ring.newer
		if oldest == &c.ring {
			return false
		}
		c.unlink(oldest)
		c.counts.evicted++
	}
	c.memory += size
	return true
}

func (c *cache) release(size int) { c.memory -= size }

// flush loses all items: those of now or, if at comes later, those that were not
// used since.
func (c *cache) flush(at tick) {
	c.counts.flush++
	if at > c.clock.now() {
		c.oldestLive = at - 1
		return
	}
	c.oldestLive = never
	c.lastCAS++ // memcached marks by a cas what was there before
	c.empty()
}

package node

// An item is one stored value, with the marks that the meta commands keep.
type item struct {
	key   string
	value []byte // never written to: answers are sent from it without the lock
	flags uint32
	cas   uint64
	end   tick // never: does not expire
	used  tick // last access

	binary  bool // the key was sent in base64, and is shown so
	fetched bool // was read since it was stored
	active  bool // was read twice
	stale   bool // marked by md with I: who reads it first shall renew it
	won     bool // somebody was told to renew it

	newer, older *item // neighbours by last use
}

// size is what memcached counts for an item.
func itemSize(key, value int, flags uint32) int {
	const header, cas, keyEnd, valueEnd, clientFlags = 48, 8, 1, 2, 4
	size := header + cas + key + keyEnd + value + valueEnd
	if flags != 0 {
		size += clientFlags
	}
	return size
}

func (it *item) size() int { return itemSize(len(it.key), len(it.value), it.flags) }

// beside is about what Go needs for an item beside what memcached counts.
const beside = 100

func (it *item) charge() int { return it.size() + beside }

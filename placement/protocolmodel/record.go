package protocolmodel

// Kind says what an item is.
type Kind uint8

// The kinds of an item.
const (
	Nothing Kind = iota
	Session
	Tombstone
	Alias
)

// A Record is what an item says. The user's data are the changes that it
// consists of: how often each client's was applied.
type Record struct {
	Kind            Kind
	Epoch, Revision uint8
	Home            uint8
	Members         set   // of nodes, the home among them
	Leaving         set   // nodes that were members before this epoch and may not know it yet
	Applied         tally // by client
	Commits         set   // of clients whose commit id is remembered
	Target          uint8 // of an alias: the new key
	TTL             uint8 // as sent, in ticks; 0 is for ever
	Idle            uint8 // timeout
}

// flags is what a probe tells of r.
func (r Record) flags() Record {
	return Record{Kind: r.Kind, Epoch: r.Epoch, Revision: r.Revision}
}

// ends reports whether r says that there is no session under this key any more.
func (r Record) ends() bool { return r.Kind == Tombstone }

// copies are the members other than the home.
func (r Record) copies() set { return r.Members.without(int(r.Home)) }

// A Version is a node's cas of an item. It is good on one connection, and a
// node that starts again has new ones.
type Version struct{ Cas, Boot uint8 }

// An Item is what a node keeps under a key.
type Item struct {
	Record Record
	Cas    uint8
	Left   uint8 // of its time to live; 0 is for ever
}

// set is a set of small numbers: nodes, clients or servers.
type set uint8

func (s set) has(i int) bool    { return s&(1<<i) != 0 }
func (s set) with(i int) set    { return s | 1<<i }
func (s set) without(i int) set { return s &^ (1 << i) }
func (s set) size() int {
	n := 0
	for ; s != 0; s &= s - 1 {
		n++
	}
	return n
}

// tally counts up to three for each client.
type tally uint8

func (t tally) of(k int) int { return int(t>>(2*k)) & 3 }

func (t tally) plus(k int) tally {
	if t.of(k) == 3 {
		return t // twice is bad enough
	}
	return t + 1<<(2*k)
}

package protocolmodel

// A Node is one memcached: it knows nothing of the others.
type Node struct {
	Items [maxKeys]Item
	Cas   uint8 // the last one given; a node that starts again counts from 1 again
	Boot  uint8 // how often it has started
	Down  bool
}

// A verb is what a message asks of a node.
type verb uint8

const (
	none   verb = iota
	get         // mg
	probe       // mg, without the value
	cas         // ms with a version
	add         // ms, mode add
	put         // ms without a condition
	remove      // md
	touch       // mg T
)

// A Message is one command on its way to a node. The version of a cas is the
// one it names; of anything else, only its boot counts.
type Message struct {
	Verb    verb
	Key     uint8
	Version Version
	Record  Record
	Life    uint8 // of a touch, or of a READ that is one
}

// A status is what a client knows about a message.
type status uint8

const (
	unasked status = iota
	done           // HD
	refused        // EX, NS or NF: certainly not executed
	silent         // no connection or no answer in time: perhaps executed
)

// An Answer is what a client got for a message.
type Answer struct {
	Status  status
	Version Version // of what was read or written
	Record  Record  // of what was read
	Left    uint8   // of its life
	Probed  bool    // the record's flags only
}

// execute does what m says.
func (n *Node) execute(m Message, rules *Rules) Answer {
	if n.Down {
		return Answer{Status: silent}
	}
	it := &n.Items[m.Key]
	switch m.Verb {
	case probe:
		return Answer{Status: done, Version: Version{it.Cas, n.Boot}, Record: it.Record.flags(), Left: it.Left, Probed: it.Record.Kind != Nothing}
	case get:
		it.touch(m.Life)
		return Answer{Status: done, Version: Version{it.Cas, n.Boot}, Record: it.Record, Left: it.Left}
	case touch:
		if it.Record.Kind == Nothing {
			return Answer{Status: refused}
		}
		it.touch(m.Life)
		return Answer{Status: done, Version: Version{it.Cas, n.Boot}}
	case cas:
		if it.Record.Kind == Nothing || it.Cas != m.Version.Cas || rules.BoundVersions && n.Boot != m.Version.Boot {
			return Answer{Status: refused}
		}
	case add:
		if it.Record.Kind != Nothing {
			return Answer{Status: refused}
		}
	case remove:
		*it = Item{}
		return Answer{Status: done}
	}
	n.Cas++
	*it = Item{m.Record, n.Cas, m.Record.TTL}
	return Answer{Status: done, Version: Version{n.Cas, n.Boot}}
}

// touch sets what is left of a life, whatever was stored. It does not change the cas.
func (it *Item) touch(life uint8) {
	if life != 0 && it.Record.Kind != Nothing {
		it.Left = life
	}
}

// empty is a node that was restarted: no items, and its counter from the start.
func (n *Node) empty() { *n = Node{Boot: n.Boot + 1} }

// evict is a node that dropped its items and goes on.
func (n *Node) evict() { n.Items = [maxKeys]Item{} }

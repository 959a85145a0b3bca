package protocolmodel

// A question is a configuration with a name.
type question struct {
	name   string
	config Config
}

// Nodes, as sets.
const (
	n1 set = 1 << iota
	n2
	n3
)

// one returns a configuration of two copies with all rules.
func one(nodes int, faults Faults, roles ...Role) Config {
	return Config{Nodes: nodes, Copies: 2, Faults: faults, Roles: roles, Rules: AllRules()}
}

// and returns c with a change.
func (c Config) and(change func(*Config)) Config {
	change(&c)
	return c
}

func moved(c *Config)    { c.Start = Moved }
func fenced(c *Config)   { c.Start = Fenced }
func buried(c *Config)   { c.Start = Buried }
func unborn(c *Config)   { c.Start = Unborn }
func emptied(c *Config)  { c.Start = Emptied }
func newOwner(c *Config) { c.NewOwner = true }
func oneID(c *Config)    { c.Remember = 1 }
func oneTry(c *Config)   { c.Tries = 1 }
func twoTries(c *Config) { c.Tries = 2 }
func hintN2(c *Config)   { c.Hint = 1 }
func hintN3(c *Config)   { c.Hint = 2 }
func probing(c *Config)  { c.Probes = true }
func three(c *Config)    { c.Copies = 3 }

// apart: one server is cut off from the copy, the other from the home, for good.
func apart(c *Config) { c.CutOff = []set{n2, n1} }

// parted: the server of the first client does not reach n1.
func parted(c *Config) { c.Start, c.Servers, c.CutOff = Parted, 3, []set{n1} }

func drains(first, second set) func(*Config) {
	return func(c *Config) { c.Draining = []set{first, second} }
}

func lacks(first, second set) func(*Config) {
	return func(c *Config) { c.Unknown = []set{first, second} }
}

// hangThenCrash: a node hangs while two write, the session is used when it is back, and
// then a node crashes.
var hangThenCrash = big(one(2, Faults{Hangs: 1, Crashes: 1, Deaths: 1, Used: true}, Writer, Writer, Reader).and(oneTry))

// promised are the configurations in which every promise holds: all states are seen.
var promised = []question{
	{"two writers", one(2, Faults{}, Writer, Writer)},
	{"two writers, a node and a server crash", one(2, Faults{Crashes: 1, Deaths: 1}, Writer, Writer)},
	{"two writers, a node evicts", one(2, Faults{Crashes: 1, Evict: true}, Writer, Writer)},
	{"two writers, an answer is lost, a server dies", one(2, Faults{Silences: 1, Deaths: 1}, Writer, Writer)},
	{"two writers, the home is cut off and a server dies", one(2, Faults{Silences: 3, Node: 1, Deaths: 1}, Writer, Writer)},
	{"two writers, the copy is cut off and a server dies", one(2, Faults{Silences: 3, Node: 2, Deaths: 1}, Writer, Writer)},
	{"two writers, the home hangs, then crashes, a server dies", one(2, Faults{Crashes: 1, Silences: 1, Node: 1, Deaths: 1}, Writer, Writer)},
	{"two writers, the copy hangs, then crashes, a server dies", one(2, Faults{Crashes: 1, Silences: 1, Node: 2, Deaths: 1}, Writer, Writer)},
	{"two writers and a reader, the home crashes", one(2, Faults{Crashes: 1, Node: 1}, Writer, Writer, Reader)},
	{"two writers and a reader, an answer is lost", one(2, Faults{Silences: 1}, Writer, Writer, Reader)},
	{"a writer, a destroyer and a reader, a node crashes", one(2, Faults{Crashes: 1}, Writer, Destroyer, Reader)},
	{"a writer, a destroyer and a reader, an answer is lost", one(2, Faults{Silences: 1}, Writer, Destroyer, Reader)},
	{"two writers and a destroyer", one(2, Faults{}, Writer, Destroyer, Writer)},
	{"two writers on three nodes, a node and a server crash", one(3, Faults{Crashes: 1, Deaths: 1}, Writer, Writer)},
	{"two writers on three nodes, the home is cut off", one(3, Faults{Silences: 2, Node: 1}, Writer, Writer)},
	{"two writers on three nodes, the copy is cut off", one(3, Faults{Silences: 2, Node: 2}, Writer, Writer)},
	{"a writer and a reader on three nodes, the home hangs, then crashes", one(3, Faults{Crashes: 1, Silences: 1, Node: 1}, Writer, Reader)},
	{"a writer and a reader, three copies, a node crashes", one(3, Faults{Crashes: 1}, Writer, Reader).and(three)},
	{"a writer and a reader, three copies, an answer is lost", one(3, Faults{Silences: 1}, Writer, Reader).and(three)},

	{"two writers with the copy for a hint, a node crashes", one(2, Faults{Crashes: 1}, Writer, Writer).and(hintN2)},
	{"two writers with a wrong hint, a node and a server crash", one(3, Faults{Crashes: 1, Deaths: 1}, Writer, Writer).and(hintN3)},
	{"two writers after a move, a node crashes", one(3, Faults{Crashes: 1}, Writer, Writer).and(moved)},
	{"a writer and a reader after a move, a node crashes", one(3, Faults{Crashes: 1}, Writer, Reader).and(moved)},
	{"two readers after a destroy, a node crashes", one(3, Faults{Crashes: 1}, Reader, Reader).and(buried)},
	{"a destroyer and a reader after a move, two nodes crash", one(3, Faults{Crashes: 2}, Destroyer, Reader).and(moved)},
	{"a destroyer and a reader after a move, an answer is lost", one(3, Faults{Silences: 1}, Destroyer, Reader).and(moved)},
	{"a reader, the copy empty, an answer is lost", one(2, Faults{Silences: 1}, Reader).and(emptied)},
	{"two destroyers, a node and a server crash", one(2, Faults{Crashes: 1, Deaths: 1}, Destroyer, Destroyer)},

	{"a creator and a reader, a node crashes", one(2, Faults{Crashes: 1}, Creator, Reader).and(unborn)},
	{"a creator and two writers, a node crashes", one(2, Faults{Crashes: 1}, Creator, Writer, Writer).and(unborn)},
	{"a creator and a writer, an answer is lost", one(2, Faults{Silences: 1}, Creator, Writer).and(unborn)},
	{"a creator and two writers, a node hangs", one(2, Faults{Hangs: 1}, Creator, Writer, Writer).and(unborn)},
	{"a creator, a writer and a reader, an answer is lost, after repair a node crashes", one(2, Faults{Silences: 1, Crashes: 1, Repaired: true}, Creator, Writer, Reader).and(unborn)},
	{"a creator, a writer and a reader on three nodes, a node crashes", one(3, Faults{Crashes: 1}, Creator, Writer, Reader).and(unborn)},
	{"a creator, a writer and a reader on three nodes, an answer is lost", one(3, Faults{Silences: 1}, Creator, Writer, Reader).and(unborn)},
	{"a creator and two writers on three nodes, an answer is lost", one(3, Faults{Silences: 1}, Creator, Writer, Writer).and(unborn)},
	{"a creator, a writer and a reader, hint n2, an answer is lost, after repair a node crashes", one(3, Faults{Silences: 1, Crashes: 1, Repaired: true}, Creator, Writer, Reader).and(unborn).and(hintN2)},
	{"a creator and a destroyer on three nodes, an answer is lost", one(3, Faults{Silences: 1}, Creator, Destroyer, Reader).and(unborn)},

	{"a destroyer and a reader, a node hangs, after repair a node crashes", one(2, Faults{Hangs: 1, Crashes: 1, Repaired: true}, Destroyer, Reader)},
	{"a destroyer and a reader on three nodes, a node hangs, after repair a node crashes", one(3, Faults{Hangs: 1, Crashes: 1, Repaired: true}, Destroyer, Reader)},
	{"a destroyer and a writer, a node hangs, after repair a node crashes", one(2, Faults{Hangs: 1, Crashes: 1, Repaired: true}, Destroyer, Writer)},
	{"two writers, a node hangs, after repair a node crashes", one(2, Faults{Hangs: 1, Crashes: 1, Repaired: true}, Writer, Writer)},
	{"a renewer and a destroyer, a node hangs", one(2, Faults{Hangs: 1}, Renewer, Destroyer)},
	{"a renewer and a writer, a node hangs", one(2, Faults{Hangs: 1}, Renewer, Writer)},

	{"a reader, two crashes, each after use", one(2, Faults{Crashes: 2, Used: true}, Reader, Reader)},
	{"two readers on three nodes, three crashes, each after use", one(3, Faults{Crashes: 3, Used: true}, Reader, Reader)},
	{"a reader and a writer on three nodes, two crashes, each after use", one(3, Faults{Crashes: 2, Used: true}, Reader, Writer)},

	{"two writers and a reader, one further try, a node hangs, after use a node crashes, a server dies", hangThenCrash},

	{"two writers, one id remembered", one(2, Faults{}, Writer, Writer).and(oneID)},
	{"two writers, one id remembered, a node crashes", one(2, Faults{Crashes: 1}, Writer, Writer).and(oneID)},
	{"two writers, one id remembered, an answer is lost", one(2, Faults{Silences: 1}, Writer, Writer).and(oneID)},
	{"two writers, one id remembered, two crashes, each after repair", one(2, Faults{Crashes: 2, Repaired: true}, Writer, Writer).and(oneID)},
	{"two writers on three nodes, one id remembered, a node crashes", one(3, Faults{Crashes: 1}, Writer, Writer).and(oneID)},
	{"two writers on three nodes, one id remembered, an answer is lost", one(3, Faults{Silences: 1}, Writer, Writer).and(oneID)},
	{"two writers on three nodes after a move, one id remembered, an answer is lost", one(3, Faults{Silences: 1}, Writer, Writer).and(oneID).and(moved)},

	{"two writers on three nodes, three crashes, each after repair", one(3, Faults{Crashes: 3, Repaired: true}, Writer, Writer)},
	{"two writers, two crashes, each after repair", one(2, Faults{Crashes: 2, Repaired: true}, Writer, Writer)},
	{"a writer and a reader, three crashes, each after repair", one(2, Faults{Crashes: 3, Repaired: true}, Writer, Reader)},

	{"a renewer and a writer, a node crashes", one(2, Faults{Crashes: 1}, Renewer, Writer)},
	{"a renewer and a writer, a new owner, a node crashes", one(2, Faults{Crashes: 1}, Renewer, Writer).and(newOwner)},
	{"a renewer and a writer, an answer is lost, a server dies", one(2, Faults{Silences: 1, Deaths: 1}, Renewer, Writer)},
	{"a renewer and a writer on three nodes, a node crashes", one(3, Faults{Crashes: 1}, Renewer, Writer)},
	{"a renewer, a writer and a reader", one(2, Faults{}, Renewer, Writer, Reader)},
	{"a renewer and a reader, a node crashes", one(2, Faults{Crashes: 1}, Renewer, Reader)},
	{"two renewers, a node crashes", one(2, Faults{Crashes: 1}, Renewer, Renewer)},
	{"two renewers, an answer is lost", one(2, Faults{Silences: 1}, Renewer, Renewer)},
	{"a renewer and a destroyer, a node crashes", one(2, Faults{Crashes: 1}, Renewer, Destroyer)},
	{"a renewer and a destroyer, an answer is lost", one(2, Faults{Silences: 1}, Renewer, Destroyer)},
	{"a renewer and a destroyer on three nodes, an answer is lost", one(3, Faults{Silences: 1}, Renewer, Destroyer)},

	{"a server does not know the copy, a node crashes", one(3, Faults{Crashes: 1}, Writer, Writer).and(lacks(n2, 0))},
	{"a server does not know the home, a node crashes", one(3, Faults{Crashes: 1}, Writer, Writer).and(lacks(n1, 0))},
	{"a server does not know the free node, a node crashes", one(3, Faults{Crashes: 1}, Writer, Writer).and(lacks(n3, 0))},
	{"one server drains the copy, a node and a server crash", one(3, Faults{Crashes: 1, Deaths: 1}, Writer, Writer).and(drains(n2, 0))},
	{"both drain the copy, a node and a server crash", one(3, Faults{Crashes: 1, Deaths: 1}, Writer, Writer).and(drains(n2, n2))},
	{"both drain the home, a node and a server crash", one(3, Faults{Crashes: 1, Deaths: 1}, Writer, Writer).and(drains(n1, n1))},
	{"both drain the home, a reader, a node crashes", one(3, Faults{Crashes: 1}, Writer, Reader).and(drains(n1, n1))},
	{"one server drains the home", one(3, Faults{}, Writer, Writer).and(drains(n1, 0))},
	{"both drain the home, the copy is cut off", one(3, Faults{Silences: 2, Node: 2}, Writer, Writer).and(drains(n1, n1))},
	{"two writers on three nodes, two answers of any nodes are lost", one(3, Faults{Silences: 2}, Writer, Writer)},
	{"two writers, the former home still has the record, two answers of any nodes are lost", one(3, Faults{Silences: 2}, Writer, Writer).and(fenced)},
	{"a writer and a reader, the former home still has the record, two answers of any nodes are lost", one(3, Faults{Silences: 2}, Writer, Reader).and(fenced)},
	{"a destroyer and a reader, the former home still has the record, two answers of any nodes are lost", one(3, Faults{Silences: 2}, Destroyer, Reader).and(fenced)},
	{"two writers, the former home still has the record, a node and a server crash", one(3, Faults{Crashes: 1, Deaths: 1}, Writer, Writer).and(fenced)},
	{"a writer and a destroyer on three nodes, two answers of any nodes are lost", one(3, Faults{Silences: 2}, Writer, Destroyer)},
	{"two writers, each cut off from another member, a server dies", one(3, Faults{Deaths: 1}, Writer, Writer).and(apart)},
	{"two writers and a reader, the servers cut off from different members", one(3, Faults{}, Writer, Writer, Reader).and(apart)},
	{"a reader and two writers, the servers cut off from different members", one(3, Faults{}, Reader, Writer, Writer).and(apart)},
	{"three writers, the servers cut off from different members", one(3, Faults{}, Writer, Writer, Writer).and(apart)},
	{"a destroyer, a writer and a reader, the servers cut off from different members", one(3, Faults{}, Destroyer, Writer, Reader).and(apart)},
	{"a writer, a renewer and a reader, the servers cut off from different members", one(3, Faults{}, Writer, Renewer, Reader).and(apart)},
	{"two writers and a reader, probes, the servers cut off from different members", one(3, Faults{}, Writer, Writer, Reader).and(apart).and(probing)},
	{"a reader and two writers, probes, the servers cut off from different members", one(3, Faults{}, Reader, Writer, Writer).and(apart).and(probing)},
	{"three writers, one has read n2 before the session came there", one(2, Faults{}, Writer, Writer, Writer).and(parted)},
	{"two writers and a reader, one has read n2 before the session came there", one(2, Faults{}, Writer, Reader, Writer).and(parted)},
	{"a destroyer and two writers, one has read n2 before the session came there", one(2, Faults{}, Writer, Destroyer, Writer).and(parted)},
	{"the servers drain different members", one(3, Faults{}, Writer, Writer).and(drains(n1, n2))},
}

// large are configurations like promised, for -full.
var large = []question{
	{"three writers", big(one(2, Faults{}, Writer, Writer, Writer))},
	{"three writers, the copy crashes", big(one(2, Faults{Crashes: 1, Node: 2}, Writer, Writer, Writer))},
	{"three writers, the home crashes", big(one(2, Faults{Crashes: 1, Node: 1}, Writer, Writer, Writer))},
	{"three writers, a server dies", big(one(2, Faults{Deaths: 1}, Writer, Writer, Writer))},
	{"three writers, an answer of the home is lost", big(one(2, Faults{Silences: 1, Node: 1}, Writer, Writer, Writer))},
	{"three writers, an answer of the copy is lost", big(one(2, Faults{Silences: 1, Node: 2}, Writer, Writer, Writer))},
	{"two writers and a reader, a node and a server crash", big(one(2, Faults{Crashes: 1, Deaths: 1}, Writer, Writer, Reader))},
	{"two writers and a reader on three nodes, one further try, a node crashes", big(one(3, Faults{Crashes: 1}, Writer, Writer, Reader).and(oneTry))},
	{"two writers and a destroyer, a node crashes", big(one(2, Faults{Crashes: 1}, Writer, Destroyer, Writer))},
	{"a writer, a destroyer and a reader on three nodes, a node crashes", big(one(3, Faults{Crashes: 1}, Writer, Destroyer, Reader))},
	{"a writer, a destroyer and a reader, both drain the home, a node crashes", big(one(3, Faults{Crashes: 1}, Writer, Destroyer, Reader).and(drains(n1, n1)))},
	{"two writers, three copies, a node crashes", big(one(3, Faults{Crashes: 1}, Writer, Writer).and(three))},
	{"two writers, three copies, an answer is lost", big(one(3, Faults{Silences: 1}, Writer, Writer).and(three))},
	{"both drain the copy, the home is cut off", big(one(3, Faults{Silences: 2, Node: 1}, Writer, Writer).and(drains(n2, n2)))},
	{"two writers on three nodes, two answers of any nodes are lost, a server dies", big(one(3, Faults{Silences: 2, Deaths: 1}, Writer, Writer))},
	{"two writers, the former home still has the record, two answers of any nodes are lost, a server dies", big(one(3, Faults{Silences: 2, Deaths: 1}, Writer, Writer).and(fenced))},
	{"a renewer, a writer and a destroyer", big(one(2, Faults{}, Renewer, Writer, Destroyer))},
	{"two renewers and a destroyer", big(one(2, Faults{}, Renewer, Renewer, Destroyer))},
	{"a renewer and two writers", big(one(2, Faults{}, Renewer, Writer, Writer))},
	{"a writer and two readers, time passes, a node crashes", big(one(2, Faults{Crashes: 1}, Writer, Reader, Reader).and(lives(4)))},
	{"two writers and a reader, a node hangs", big(one(2, Faults{Hangs: 1}, Writer, Writer, Reader))},
	{"a creator and two writers on three nodes, n2 hangs, then crashes", big(one(3, Faults{Silences: 2, Crashes: 1, Node: 2}, Creator, Writer, Writer).and(unborn))},
	{"two writers and a reader, a node crashes", big(one(2, Faults{Crashes: 1}, Writer, Writer, Reader))},
	{"a creator and two writers on three nodes, n1 hangs, then crashes", big(one(3, Faults{Silences: 2, Crashes: 1, Node: 1}, Creator, Writer, Writer).and(unborn))},
	{"two writers on three nodes, a node hangs, after repair a node crashes", big(one(3, Faults{Hangs: 1, Crashes: 1, Repaired: true}, Writer, Writer))},
	{"a creator, a reader and a writer, three copies, an answer is lost", big(one(3, Faults{Silences: 1}, Creator, Reader, Writer).and(unborn).and(three))},
	{"a creator, a writer and a reader on three nodes, an answer is lost, after repair a node crashes", big(one(3, Faults{Silences: 1, Crashes: 1, Repaired: true}, Creator, Writer, Reader).and(unborn))},
	{"a creator, a writer and a reader, hint n3, an answer is lost, after repair a node crashes", big(one(3, Faults{Silences: 1, Crashes: 1, Repaired: true}, Creator, Writer, Reader).and(unborn).and(hintN3))},
	{"three writers, one id remembered, two further tries", big(one(2, Faults{}, Writer, Writer, Writer).and(oneID).and(twoTries))},
	{"three writers, one id remembered, one further try, a node crashes", big(one(2, Faults{Crashes: 1}, Writer, Writer, Writer).and(oneID).and(oneTry))},
	{"three writers, one id remembered, one further try, an answer is lost", big(one(2, Faults{Silences: 1}, Writer, Writer, Writer).and(oneID).and(oneTry))},
}

func big(c Config) Config {
	c.MaxStates = 20_000_000
	return c
}

package protocolmodel

const (
	maxNodes   = 3
	maxClients = 3
	maxKeys    = 3 // the session's, and one for each renewal
	maxStrays  = 9
)

// A Role says what a client wants.
type Role uint8

// The roles of clients.
const (
	Nobody Role = iota
	Writer
	Reader
	Destroyer
	Creator
	Renewer
)

// A phase says what a client waits for, or how it ended.
type phase uint8

const (
	waiting   phase = iota // has not begun
	reading                // READ: the answers of the hint's node and the next in list order
	asking                 // READ 3: the answers of all the others
	doubting               // READ 5: the home's, asked again
	writing                // COMMIT 1, CREATE: home and copies in one flight
	deciding               // COMMIT 2 and 3: the home or the deciding node alone
	copying                // COMMIT 2 and 3: the copies
	burying                // DESTROY
	creating               // CREATE
	preparing              // RENEW: the new record, on all members
	touching               // LIFE: all members, behind the answer
	checking               // LIFE: what was touched and is not what was read
	acknowledged
	failed   // an error: the change may have happened or may not
	gone     // destroyed, says the answer
	renewed  // renewed by another with another owner, says the answer
	missing  // absent, says the answer
	departed // its server died
)

func (p phase) over() bool { return p >= acknowledged }

// A Client is one request on an app server.
type Client struct {
	Role      Role
	Phase     phase
	Tries     uint8
	Hint      uint8 // the node that its cookie names
	Key       uint8
	Owes      set  // reader: whose changes were acknowledged before it began
	OwesEnd   bool // reader: a destroy was acknowledged before it began
	Unsure    bool // an earlier write of it may have happened
	UnsureOf  uint8
	Doubt     doubt
	Flight    set // nodes that it waits for
	Held      set // nodes that are written when the deciding node has said yes
	Next      Record
	Out       [maxNodes]Message // in flight or held
	In        [maxNodes]Answer  // so far, in this phase
	Own       [maxNodes]Version // RENEW, CREATE: of what it wrote where nobody else does
	Old       [maxNodes]Answer  // RENEW: what READ found under the old key
	Completes bool              // it completes an alias of somebody else's
	Behind    bool              // reader: it has its answer, and repairs what it found
	Failed    set               // CREATE: nodes that did not take it
	Owed      set               // DESTROY: nodes that miss the tombstone
	OwedTTL   uint8
	Recent    bool // with Faults.Used: it began after the last fault, and after the end of that
}

// A Stray is a message that nobody waits for any more. It arrives at any later
// time, or never.
type Stray struct {
	Message Message
	Node    uint8
	From    uint8
}

// Faults is a budget, spent anywhere.
type Faults struct {
	Crashes  uint8 // of nodes: each stays down, restarts empty, or drops its items and goes on
	Silences uint8 // answers that do not come: the message is lost, or delayed, or only its answer is
	Hangs    uint8 // of nodes: what comes meanwhile is done when it goes on
	Deaths   uint8 // of app servers
	Node     int8  // 1, 2 or 3: crashes and silences strike only this node; 0: any
	Evict    bool  // a crash can also be a mere eviction
	Repaired bool  // a crash waits until the faults before it are repaired, and no READ from before that is under way
	Used     bool  // a crash waits until a request that began after the fault before has ended, with all that it does behind
	MidRead  bool  // with Repaired: such a READ may be under way
}

// A State is everything at one moment. It is comparable and holds no pointer.
type State struct {
	Nodes   [maxNodes]Node
	Clients [maxClients]Client
	Strays  [maxStrays]Stray // in one order; the free ones are last
	Avoids  [maxClients]set  // by server: nodes that it has found not to answer
	Crashes, Silences,
	Deaths, Hangs, Ticks uint8 // that may still happen
	Unused uint8 // ticks since the last use of the session
	Late   bool  // a message of before a hang was done
	Hung   set   // nodes that hang
	Back   set   // nodes that go on and are not asked yet
	Used   bool  // with Faults.Used: somebody has used the session since the last fault
	Lie    lie   // what somebody was told wrongly
}

// A Start says what has happened before.
type Start uint8

// What has happened before.
const (
	Stored  Start = iota // the session is stored, home n1
	Moved                // and has moved on to n2 while n1 was away; n1 is back with its memory
	Fenced               // and has moved on to n2; n1 was told so, and has what it was told
	Buried               // it was destroyed while n1 was away; n1 is back with its memory
	Unborn               // nothing is stored yet
	Emptied              // stored, and the last member is empty
	Parted               // the last client has read n2; then a server that does not reach n1 has moved the session there
)

// A Config is a question to Check.
type Config struct {
	Nodes, Copies int // Copies counts the home
	Servers       int // default 2; client k runs on server k modulo Servers
	Roles         []Role
	Hint          uint8 // of everybody but readers, who have any: 0 for n1
	Tries         uint8 // a client gives up after so many further tries; default 3
	Remember      int   // commit ids in a record; 0: as many as there are clients
	NewOwner      bool  // renewals change the owner
	Unknown       []set // by server: nodes that are not in its list
	CutOff        []set // by server: nodes that never answer it
	Draining      []set // by server: nodes that it knows, and moves sessions away from
	Faults        Faults
	Life          Life
	Probes        bool // the first READ asks all but the hint's node for flags and version only
	Start         Start
	Rules         Rules
	MaxStates     int // gives up after so many; default 3 million
}

func (c Config) withDefaults() Config {
	if c.Servers == 0 {
		c.Servers = 2
	}
	if c.Tries == 0 {
		c.Tries = 3
	}
	if c.MaxStates == 0 {
		c.MaxStates = 3_000_000
	}
	return c
}

// server of client k.
func (c *Config) server(k int) int { return k % c.Servers }

// ring yields all nodes in list order, beginning with first.
func (c *Config) ring(first int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for d := range c.Nodes {
			if !yield((first + d) % c.Nodes) {
				return
			}
		}
	}
}

// firstOf returns the first size nodes of those in list order, beginning with
// home, which is always one of them.
func (c *Config) firstOf(those set, home, size int) set {
	chosen := set(0).with(home)
	for n := range c.ring(home) {
		if those.has(n) && chosen.size() < size {
			chosen = chosen.with(n)
		}
	}
	return chosen
}

func (c *Config) allNodes() set { return set(1<<c.Nodes - 1) }

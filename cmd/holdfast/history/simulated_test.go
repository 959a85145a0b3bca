package history

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// A session that is right by construction: one object in one place, to which the
// operations of some clients happen one after the other, each at a random moment
// between its start and its end.
type simulation struct {
	rng     *rand.Rand
	session string
	first   time.Duration // when it began
	now     time.Duration
	queue   []event
	ops     []Op

	// the object
	there   bool
	owner   string
	lastUse time.Duration
	ids     []id // the last one is the current one
	values  map[string]string
	stored  *snapshot // what is left if its server dies; nil if nothing is

	// what its clients know
	told    []int // the ids that were told, as numbers into ids
	written int   // how many values and owners were named
}

type id struct {
	until time.Duration // when it stops; never, while it is the current one
}

type event struct {
	at time.Duration
	do func()
}

const (
	idle    = 2 * time.Second
	slack   = 500 * time.Millisecond // longer than anything is late
	latency = 40 * time.Millisecond

	longestLate = 300 * time.Millisecond // of a request whose client has given up
	grace       = 100 * time.Millisecond
)

// simulate returns the history of one session with clients that do each some steps.
func simulate(rng *rand.Rand, session string, clients, steps int) []Op {
	s := newSimulation(rng, session)
	s.begin(clients, steps)
	return s.ops
}

func newSimulation(rng *rand.Rand, session string) *simulation {
	first := moment(rng.IntN(100))
	return &simulation{rng: rng, session: session, values: map[string]string{}, first: first, now: first}
}

func (s *simulation) begin(clients, steps int) {
	s.after(0, func() {
		s.send(Op{Kind: Begin}, func() {
			for range clients {
				s.client(steps)
			}
		})
	})
	s.run()
	if s.rng.IntN(2) == 0 {
		s.rest()
	}
}

// A snapshot is what lies on the nodes.
type snapshot struct{ values map[string]string }

func (s *simulation) store() { s.stored = &snapshot{maps.Clone(s.values)} }

// simulateCrash is simulate with a server that dies and had not sent everything.
func simulateCrash(rng *rand.Rand, session string, clients, steps int) ([]Op, fault) {
	s := newSimulation(rng, session)
	sent := moment(50 + rng.IntN(700))
	dies := sent + s.some(300*time.Millisecond)
	s.after(sent, func() {
		if s.there {
			s.store()
		}
	})
	s.after(dies, s.crash)
	s.begin(clients, steps)
	dies, sent = s.first+dies, s.first+sent
	return s.ops, fault{Span{dies, dies}, sent - longestLate, sent}
}

func (s *simulation) crash() {
	if s.stored == nil {
		s.there, s.values = false, map[string]string{}
		return
	}
	s.values = maps.Clone(s.stored.values)
}

func (s *simulation) run() {
	for len(s.queue) > 0 {
		next := slices.MinFunc(s.queue, func(a, b event) int { return cmp.Compare(a.at, b.at) })
		i := slices.IndexFunc(s.queue, func(e event) bool { return e.at == next.at })
		next = s.queue[i]
		s.queue = slices.Delete(s.queue, i, i+1)
		s.now = next.at
		next.do()
	}
}

func (s *simulation) after(d time.Duration, do func()) {
	s.queue = append(s.queue, event{s.now + d, do})
}

func (s *simulation) some(d time.Duration) time.Duration {
	return time.Duration(s.rng.Int64N(int64(d))) + 1
}

// client does steps operations, one after the other.
func (s *simulation) client(steps int) {
	if steps == 0 {
		return
	}
	s.after(s.some(latency), func() {
		s.send(s.choose(), func() { s.client(steps - 1) })
	})
}

func (s *simulation) choose() Op {
	key := fmt.Sprintf("k%d", s.rng.IntN(3))
	op := Op{Former: s.rng.IntN(10) == 0 && len(s.told) > 1}
	switch n := s.rng.IntN(200); {
	case n < 50:
		s.written++
		op.Kind, op.Key, op.Value = Set, key, strconv.Itoa(s.written)
	case n < 60:
		op.Kind, op.Key = Delete, key
	case n < 100:
		op.Kind, op.Key = Update, "n"
	case n < 110:
		op.Kind, op.Key = Read, "n"
	case n < 190:
		op.Kind, op.Key = Read, key
	case n < 194:
		s.written++
		op.Kind, op.Value = Login, "user"+strconv.Itoa(s.written)
	case n < 199:
		op.Kind = Renew
	default:
		op.Kind = Logout
	}
	return op
}

// send has op happen at some moment, or later or never if nobody will know, notes
// what its client was told, and goes on.
func (s *simulation) send(op Op, next func()) {
	op.Session, op.Span.Start = s.session, s.now
	sent := s.knownID(op.Former)
	happens, answered := s.some(latency), latency+s.some(latency)
	switch n := s.rng.IntN(100); {
	case op.Kind == Begin:
	case n < 5:
		op.Outcome = Unknown
		happens = max(0, s.some(2*longestLate)-longestLate)
	case n < 8:
		op.Outcome = Refused
	}
	given := 0
	if op.Outcome == Accepted || happens > 0 && op.Outcome == Unknown {
		s.after(happens, func() { given = s.happen(&op, sent) })
	}
	s.after(answered, func() {
		told := op
		told.Span.End = s.now
		if told.Outcome == Unknown {
			told.Missing = false
		} else if given > 0 || op.Kind == Begin {
			s.told = append(s.told, given)
		}
		s.ops = append(s.ops, told)
		next()
	})
}

func (s *simulation) knownID(former bool) int {
	switch {
	case len(s.told) == 0:
		return 0
	case former:
		return s.told[s.rng.IntN(len(s.told)-1)]
	}
	return s.told[len(s.told)-1]
}

// happen does op to the object and fills in its answer. It returns the number of the
// id that it gave, or 0.
func (s *simulation) happen(op *Op, sent int) (given int) {
	if op.Kind == Begin {
		s.there, s.ids, s.lastUse = true, []id{{never}}, s.now
		return 0
	}
	if s.now > s.lastUse+idle {
		s.there = false
	}
	if !s.there || s.now > s.ids[sent].until {
		op.Missing = true
		return 0
	}
	s.lastUse = s.now
	return s.use(op)
}

func (s *simulation) use(op *Op) (given int) {
	switch op.Kind {
	case Set:
		s.values[op.Key] = op.Value
	case Delete:
		delete(s.values, op.Key)
	case Update:
		n, _ := strconv.Atoi(s.values[op.Key])
		s.values[op.Key] = strconv.Itoa(n + 1)
		op.Value = s.values[op.Key]
	case Read:
		op.Value, op.Owner = s.values[op.Key], s.owner
	case Login:
		s.owner = op.Value
		return s.giveID(0)
	case Renew:
		return s.giveID(grace)
	case Logout:
		s.there = false
	}
	return 0
}

func (s *simulation) giveID(grace time.Duration) int {
	for i := range s.ids {
		s.ids[i].until = min(s.ids[i].until, s.now+grace)
		if grace == 0 {
			s.ids[i].until = -1
		}
	}
	s.ids = append(s.ids, id{never})
	s.store() // a new id waits for the nodes
	return len(s.ids) - 1
}

// rest does not use the session until it is gone, and looks.
func (s *simulation) rest() {
	pause := Op{Session: s.session, Kind: Expire, Span: Span{Start: s.now}}
	s.now += idle + slack
	pause.Span.End = s.now
	s.ops = append(s.ops, pause)
	s.after(0, func() { s.send(Op{Kind: Read, Key: "k0"}, func() {}) })
	s.run()
}

package protocolmodel

import "hash/maphash"

// A model is a Config at work.
type model struct{ Config }

// A Result is what Check found.
type Result struct {
	States   int      // different ones seen
	Depth    int      // moves of the longest walk without a detour
	Complete bool     // all states were seen, or a violation was found
	Broken   string   // the promise that does not hold, or ""
	Trace    []string // the shortest walk to it, in words
	Ends     map[string]int
}

// Check walks through all states that cfg allows, nearest first, until a promise
// is broken. Two states are held to be equal if a 64-bit hash, keyed anew in each
// process, is: among ten million states that hides one in a run out of 400,000.
func Check(cfg Config) Result {
	m := &model{cfg.withDefaults()}
	w := walk{model: m, seen: newSeen(), seed: maphash.MakeSeed(), ends: map[string]int{}}
	w.found(m.start(), 0, move{})
	for depth := 0; len(w.next) > 0; depth++ {
		if w.broken != "" || len(w.steps) >= m.MaxStates {
			return w.result(depth)
		}
		w.level()
	}
	r := w.result(w.depth)
	r.Complete = true
	return r
}

// A step says how a state was first reached.
type step struct {
	from int32
	move move
}

// A walk is a Check under way: nearest states first.
type walk struct {
	*model
	seen   *seen
	seed   maphash.Seed
	steps  []step
	next   []visit // of the next level
	spare  []visit
	broken string
	at     int32 // where that is
	depth  int
	ends   map[string]int
}

type visit struct {
	state State
	id    int32
}

// found notes a state that was reached by mv.
func (w *walk) found(s State, from int32, mv move) {
	if !w.seen.add(maphash.Comparable(w.seed, s)) {
		return
	}
	id := int32(len(w.steps))
	w.steps = append(w.steps, step{from, mv})
	if why := w.model.broken(&s); why != "" && w.broken == "" {
		w.broken, w.at = why, id
	}
	w.next = append(w.next, visit{s, id})
}

// level goes one move further from every state of the last level.
func (w *walk) level() {
	level := w.next
	w.next = w.spare[:0]
	w.depth++
	for i := range level {
		v := &level[i]
		w.count(&v.state)
		w.moves(&v.state, func(mv move) {
			s := v.state
			w.apply(&s, mv)
			w.found(s, v.id, mv)
		})
		if w.broken != "" || len(w.steps) >= w.MaxStates {
			break
		}
	}
	w.spare = level
}

// count counts the ways in which all clients ended, so that a run that never
// gets anywhere is seen.
func (w *walk) count(s *State) {
	for k := range w.Roles {
		if !s.Clients[k].Phase.over() {
			return
		}
	}
	w.ends[w.outcome(s)]++
}

func (w *walk) result(depth int) Result {
	r := Result{States: len(w.steps), Depth: depth, Broken: w.broken, Complete: w.broken != "", Ends: w.ends}
	if w.broken != "" {
		r.Trace = w.trace(w.at)
	}
	return r
}

// trace tells the way to a state by walking it again.
func (w *walk) trace(id int32) []string {
	var way []move
	for ; id > 0; id = w.steps[id].from {
		way = append(way, w.steps[id].move)
	}
	s := w.start()
	words := []string{w.describe(&s)}
	for i := len(way) - 1; i >= 0; i-- {
		before := s
		w.apply(&s, way[i])
		words = append(words, w.narrate(&before, &s, way[i]))
	}
	return append(words, w.describe(&s))
}

// seen is a set of hashes: a table of twice their number, with linear probing.
type seen struct {
	table []uint64
	size  int
}

func newSeen() *seen { return &seen{table: make([]uint64, 1<<16)} }

// add reports whether h is new.
func (t *seen) add(h uint64) bool {
	if h == 0 {
		h = 1 // zero is an empty place
	}
	if !t.put(h) {
		return false
	}
	if t.size++; t.size*2 > len(t.table) {
		t.grow()
	}
	return true
}

func (t *seen) put(h uint64) bool {
	mask := uint64(len(t.table) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch t.table[i] {
		case h:
			return false
		case 0:
			t.table[i] = h
			return true
		}
	}
}

func (t *seen) grow() {
	old := t.table
	t.table = make([]uint64, 2*len(old))
	for _, h := range old {
		if h != 0 {
			t.put(h)
		}
	}
}

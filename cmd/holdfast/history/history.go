// Package history judges what the clients of a system saw: whether there is
// any order of their operations, each at one moment between its start and its
// end, that explains every answer (linearizability). It knows registers, which
// are set and read, counters, which are raised by one and read, and sessions, which
// begin, change their owner and id, and end once and for all.
//
// An operation whose answer was lost may have happened or not, and may happen
// at any later time. The verdict is exact: a history is refused if and only if
// there is no such order. The tests compare it with a search of all orders. Where
// it has to search itself it does a bounded number of steps, and what it could not
// decide in them is an error, too.
//
// Operations whose times touch count as parallel. So the clock of the spans should
// not stand still between two operations: where it does, less can be judged.
package history

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

// An Outcome is what a client knows of an operation after it.
type Outcome uint8

const (
	Accepted Outcome = iota // it happened
	Refused                 // it did not happen and never will
	Unknown                 // nobody can tell
)

// A Span is the time from before an operation was sent until after its answer
// was there, on one clock for all clients.
type Span struct {
	Start, End time.Duration
}

// before is true when a had ended before b began: only then is their order
// known.
func (a Span) before(b Span) bool { return a.End < b.Start }

// never is the end of an operation that may happen at any later time.
const never = time.Duration(math.MaxInt64)

// A History collects what clients saw, and judges it. Its methods may be
// called in parallel.
type History struct {
	mu        sync.Mutex // guards what follows
	registers map[string][]registerOp
	counters  map[string][]counterOp
	ops       []Op
	faults    []fault
	lost      []error
}

// New returns an empty history.
func New() *History {
	return &History{registers: map[string][]registerOp{}, counters: map[string][]counterOp{}}
}

// Write notes that a client set a register to value. No two writes of one
// register may have the same value, and none the empty one: that is what a
// register holds at first.
func (h *History) Write(register, value string, span Span, o Outcome) {
	h.register(register, registerOp{write: true, value: value, span: span, outcome: o})
}

// Read notes that a client was told that a register holds value.
func (h *History) Read(register, value string, span Span) {
	h.register(register, registerOp{value: value, span: span})
}

func (h *History) register(name string, op registerOp) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.registers[name] = append(h.registers[name], op)
}

// Increment notes that a client raised a counter by one, and was told that it
// is value now (if it was accepted).
func (h *History) Increment(counter string, value int64, span Span, o Outcome) {
	h.counter(counter, counterOp{increment: true, value: value, span: span, outcome: o})
}

// Count notes that a client was told that a counter is value.
func (h *History) Count(counter string, value int64, span Span) {
	h.counter(counter, counterOp{value: value, span: span})
}

func (h *History) counter(name string, op counterOp) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counters[name] = append(h.counters[name], op)
}

// Lost notes that a client was told that something which must be there is not.
func (h *History) Lost(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost = append(h.lost, fmt.Errorf(format, args...))
}

// Check returns everything that no order of the operations explains, and what it
// could not decide, one a line; nil if the history is right.
func (h *History) Check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	wrong := slices.Clone(h.lost)
	for _, name := range slices.Sorted(maps.Keys(h.registers)) {
		if err := explainRegister(h.registers[name], h.faults); err != nil {
			wrong = append(wrong, fmt.Errorf("register %s: %w", name, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.counters)) {
		if err := explainCounter(h.counters[name], h.faults); err != nil {
			wrong = append(wrong, fmt.Errorf("counter %s: %w", name, err))
		}
	}
	sessions := grouped(h.ops, func(op Op) string { return op.Session })
	for _, name := range slices.Sorted(maps.Keys(sessions)) {
		wrong = append(wrong, checkSession(name, sessions[name], h.faults)...)
	}
	return errors.Join(wrong...)
}

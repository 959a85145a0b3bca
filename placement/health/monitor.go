package health

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A State is what a Monitor thinks of its node.
type State uint8

// The states of a node. It is asked in the first two.
const (
	Up        State = iota // answers
	Suspect                // a request failed at once, so it is being probed; still asked
	Down                   // a request or a probe waited in vain, or a probe was refused; not asked
	Returning              // answers probes again; not asked yet
)

// String returns the state in lower case, as in logs.
func (s State) String() string {
	names := [...]string{"up", "suspect", "down", "returning"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Options of a Monitor.
type Options struct {
	// Probe asks the node something cheap; nil means that it answered. Required.
	// It must return when its context ends, and an answer after that is none.
	Probe func(context.Context) error

	// Return delivers what a node missed while it was Down. It runs when the node
	// has answered for its quarantine, before it is asked again. After an error
	// the node is Down. What is put aside for a node after Return looked for it is
	// not delivered by it: look at Usable again after putting something aside, or
	// deliver once more when Changed tells of Up. nil means nothing to deliver.
	Return func(context.Context) error

	// Changed is told of each change in order, one at a time, with no lock held,
	// by the goroutine that probes: Usable is ahead of it by at most one probe. why
	// is nil when the node answered. It must not call Close. nil means nobody is
	// told.
	Changed func(from, to State, why error)

	// ProbeTimeout is how long one probe may take. 0 means 1 second.
	ProbeTimeout time.Duration

	// Quarantine is how long a node that was Down must answer each probe before it
	// is asked again: a memcached that was stopped serves expired items until its
	// clock ticks, which 2 seconds cover. 0 means none.
	Quarantine time.Duration

	// Patience is how long a request waits before it reports TimedOut. Such a
	// report earlier than that after the node came back is of a request begun
	// before, and is not counted. 0 means ProbeTimeout.
	Patience time.Duration
}

// A Monitor watches one node. While the node is Up it costs no goroutine,
// otherwise one. All methods may be called concurrently.
type Monitor struct {
	opts Options

	state   atomic.Uint32 // a State; changed only with mu held, so that requests need no lock
	ctx     context.Context
	cancel  context.CancelFunc // ends ctx, and so the watch; called by Close
	watches sync.WaitGroup     // never more than one; Close waits for it

	mu         sync.Mutex            // guards what follows, and changes of state
	since      time.Time             // when state began
	back       time.Time             // when the node last came up from Returning
	failures   int                   // probes and Returns that failed since the node was Up
	quarantine time.Duration         // of this return
	hiccups    [maxHiccups]time.Time // the last ones, oldest first
	untold     []change              // for Changed, oldest first
	watching   bool                  // a watch is there to act on changes
	closed     bool
}

type change struct {
	from, to State
	why      error
}

// New returns the monitor of a node that is taken to be Up.
func New(opts Options) *Monitor {
	if opts.ProbeTimeout <= 0 {
		opts.ProbeTimeout = time.Second
	}
	if opts.Patience <= 0 {
		opts.Patience = opts.ProbeTimeout
	}
	m := &Monitor{opts: opts, since: time.Now()}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// Usable says whether to ask the node: it is Up or Suspect.
func (m *Monitor) Usable() bool { return m.State() <= Suspect }

// State returns what the monitor thinks of the node now.
func (m *Monitor) State() State { return State(m.state.Load()) }

// Since returns when the present state began. Who wants to know how long a node
// has been Down calls State first: a change in between then makes the time
// shorter, never longer.
func (m *Monitor) Since() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.since
}

// Refused reports that a request failed at once: refused, or its connection
// lost. An Up node becomes Suspect and is probed; in any other state it is being
// probed already.
func (m *Monitor) Refused(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.State() == Up {
		m.reportLocked(Suspect, err)
	}
}

// TimedOut reports that a request waited its whole patience in vain. The node is
// Down at once, so that the next request does not wait too, and is probed.
func (m *Monitor) TimedOut(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	begunBefore := time.Since(m.back) < m.opts.Patience
	if m.Usable() && !begunBefore {
		m.reportLocked(Down, err)
	}
}

// Close ends the watch, whose probe finds its context canceled, and waits for
// it. The state stays as it is; later reports do nothing.
func (m *Monitor) Close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.cancel()
	m.watches.Wait()
}

// reportLocked changes the state and sees to it that there is a watch.
func (m *Monitor) reportLocked(to State, why error) {
	if m.closed {
		return
	}
	m.setLocked(to, why)
	if !m.watching {
		m.watching = true
		m.watches.Go(m.watch)
	}
}

func (m *Monitor) setLocked(to State, why error) {
	from := m.State()
	if from == to {
		return
	}
	m.state.Store(uint32(to))
	m.since = time.Now()
	m.untold = append(m.untold, change{from, to, why})
}

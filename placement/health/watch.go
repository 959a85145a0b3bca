package health

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	minBackoff     = 25 * time.Millisecond
	maxBackoff     = 2 * time.Second
	returningPause = 100 * time.Millisecond // between the probes of a quarantine
	returnTimeout  = 10 * time.Second       // of Options.Return

	maxHiccups   = 2 // forgiven within hiccupWindow
	hiccupWindow = 10 * time.Second
)

// watch probes a node that is not Up until it is. What can meet what:
//
//  1. A report meets a watch that ends. A watch ends only in tell, with mu held,
//     when the node is Up and all is told. Either the report came before, and
//     tell sees its state and goes on; or after, and it finds no watch and
//     starts the next. So there is never more than one, and Changed is called
//     by one goroutine at a time.
//  2. TimedOut meets the probe of a Suspect node. The node is Down. What that
//     probe found may be older than the end of the request's wait, so judge
//     drops it, and the watch probes anew, without a pause.
//  3. A request that found the node usable reports when it is Down or Returning:
//     nothing changes, the watch decides.
//  4. The same, but when the node is Up again. Refused costs one probe, and the
//     node is asked meanwhile. TimedOut is dropped by its time: a request begun
//     after the node came back cannot have waited out its patience yet.
//  5. Close meets a report: the report either starts its watch before Close
//     waits, or finds closed and does nothing. Close meets a probe: judge finds
//     closed and blames nothing on the node.
func (m *Monitor) watch() {
	for m.tell() {
		m.step()
	}
}

// tell calls Changed for what is untold. When nothing is, and the node is Up or
// the monitor closed, it ends the watch by returning false.
func (m *Monitor) tell() bool {
	for {
		changes, more := m.takeUntold()
		if len(changes) == 0 {
			return more
		}
		if m.opts.Changed == nil {
			continue
		}
		for _, c := range changes {
			m.opts.Changed(c.from, c.to, c.why)
		}
	}
}

func (m *Monitor) takeUntold() (changes []change, more bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	changes, m.untold = m.untold, nil
	if len(changes) == 0 {
		m.watching = m.State() != Up && !m.closed
	}
	return changes, m.watching
}

func (m *Monitor) step() {
	asked, pause := m.next()
	if pause > 0 {
		select {
		case <-time.After(pause):
		case <-m.ctx.Done():
			return
		}
	}
	err := bounded(m.ctx, m.opts.ProbeTimeout, m.opts.Probe)
	if m.judge(asked, err) {
		m.bringBack()
	}
}

// next returns the state in which the node is probed next, and how long to wait
// before that. Nobody but the watch leaves a state that has a pause.
func (m *Monitor) next() (asked State, pause time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked = m.State()
	switch {
	case asked == Returning:
		return asked, jitter(returningPause)
	case m.failures == 0: // just reported
		return asked, 0
	}
	return asked, backoff(m.failures)
}

// backoff is the pause after so many failures, the first being 1. It lies
// between minBackoff and maxBackoff.
func backoff(failures int) time.Duration {
	const enough = 7 // doublings to go beyond maxBackoff
	return jitter(min(minBackoff<<min(failures, enough), maxBackoff))
}

// jitter returns between a half of d and d, so that the app servers do not probe
// a node in step.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// bounded runs f, whose success after its time is none.
func bounded(ctx context.Context, limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := f(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// judge draws the conclusion of a probe made in the state asked. It returns true
// when the node has answered for long enough.
func (m *Monitor) judge(asked State, err error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.State() != asked {
		return false
	}
	switch {
	case err != nil:
		m.failLocked(fmt.Errorf("probe: %w", err))
		return false
	case asked == Suspect:
		m.setLocked(Up, nil)
		return false
	case asked == Down:
		m.quarantine = m.chooseQuarantineLocked()
		m.setLocked(Returning, nil)
	}
	return time.Since(m.since) >= m.quarantine
}

func (m *Monitor) failLocked(why error) {
	m.failures++
	m.setLocked(Down, why)
}

// chooseQuarantineLocked forgives a hiccup, unless there were too many lately.
func (m *Monitor) chooseQuarantineLocked() time.Duration {
	if m.failures > 0 {
		return m.opts.Quarantine
	}
	now := time.Now()
	oldest := m.hiccups[0]
	m.hiccups = [maxHiccups]time.Time{m.hiccups[1], now}
	if now.Sub(oldest) < hiccupWindow {
		return m.opts.Quarantine
	}
	return 0
}

// bringBack delivers what the node missed, and only then has it asked again.
func (m *Monitor) bringBack() {
	var err error
	if m.opts.Return != nil {
		err = bounded(m.ctx, returnTimeout, m.opts.Return)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
	case err != nil:
		m.failLocked(fmt.Errorf("deliver what the node missed: %w", err))
	default:
		m.setLocked(Up, nil)
		m.failures = 0
		m.back = time.Now()
	}
}

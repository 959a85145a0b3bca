package schedules

import (
	"cmp"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing/synctest"
	"time"
)

// A network carries all bytes between app servers and nodes. It delivers one message
// after the other, and waits in between until everybody is idle, so that the order
// comes from the seed and not from the scheduler of goroutines.
type network struct {
	tally *tally
	story *story
	kick  chan struct{} // something was posted
	done  chan struct{}
	ended chan struct{}

	mu       sync.Mutex // guards all below, and what is said so elsewhere
	rng      *rand.Rand // for the step that is played
	links    map[route]*link
	posted   []*message // not yet given a time to arrive
	inFlight []*message // by time of arrival
	wires    []*wire
	due      *trigger
	digest   hash.Hash64 // of everything that was delivered
}

// A route is the way from an app server to a node.
type route struct{ server, node string }

func newNetwork(t *tally, s *story) *network {
	n := &network{
		tally: t, story: s, links: map[route]*link{}, digest: fnv.New64a(), rng: rand.New(rand.NewPCG(0, 0)),
		kick: make(chan struct{}, 1), done: make(chan struct{}), ended: make(chan struct{}),
	}
	go n.run()
	return n
}

// stop ends the delivery of messages.
func (n *network) stop() {
	close(n.done)
	<-n.ended
}

func (n *network) run() {
	defer close(n.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		synctest.Wait()
		pause := n.step()
		if pause == 0 {
			continue
		}
		timer.Reset(pause)
		select {
		case <-timer.C:
		case <-n.kick:
		case <-n.done:
			return
		}
	}
}

// step delivers what is due, or returns how long to wait.
func (n *network) step() (pause time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.admitLocked()
	if len(n.inFlight) == 0 {
		return time.Hour
	}
	first := n.inFlight[0]
	if pause := time.Until(first.at); pause > 0 {
		return pause
	}
	n.inFlight = slices.Delete(n.inFlight, 0, 1)
	n.deliverLocked(first)
	return 0
}

// admitLocked gives each posted message its time, in an order that does not depend on
// which goroutine was first.
func (n *network) admitLocked() {
	for len(n.posted) > 0 {
		slices.SortStableFunc(n.posted, (*message).compare)
		m := n.posted[0]
		n.posted = slices.Delete(n.posted, 0, 1)
		n.countLocked(m)
		if m.lost() {
			continue
		}
		n.tally.sees(m, time.Now())
		for part := range m.parts() {
			part.at = n.arrivalLocked(part)
			at, _ := slices.BinarySearchFunc(n.inFlight, part, func(a, b *message) int {
				return cmp.Or(a.at.Compare(b.at), -1)
			})
			n.inFlight = slices.Insert(n.inFlight, at, part)
		}
	}
}

// arrivalLocked is when m arrives: messages of one direction stay in order.
func (n *network) arrivalLocked(m *message) time.Time {
	l := m.link
	takes := shortest + time.Duration(n.rng.Int64N(int64(longest-shortest))) + l.delay + l.to.slow
	at := time.Now().Add(takes)
	last := &m.wire.lastBack
	if m.toNode {
		last = &m.wire.lastThere
	}
	if !at.After(*last) {
		at = last.Add(time.Nanosecond)
	}
	*last = at
	return at
}

// How long a message takes.
const (
	shortest = 20 * time.Microsecond
	longest  = 800 * time.Microsecond
)

// deliverLocked hands m over, or keeps it for later.
func (n *network) deliverLocked(m *message) {
	l := m.link
	switch {
	case m.kind == reset:
		m.end().receive(nil, syscall.ECONNRESET)
		return
	case m.severed:
		return
	case l.state == silent:
		l.held = append(l.held, m)
		return
	case m.toNode && m.kind != syn && l.to.frozen:
		l.to.held = append(l.to.held, m)
		return
	}
	n.noteLocked(m)
	if m.toNode {
		n.atNodeLocked(m)
		return
	}
	n.atServerLocked(m)
}

func (n *network) noteLocked(m *message) {
	_, _ = fmt.Fprint(n.digest, time.Now().UnixNano(), m.link.server, m.link.node, m.wire.number, m.toNode, m.kind, len(m.data), "\n")
	n.story.message(m)
}

func (n *network) atNodeLocked(m *message) {
	l := m.link
	switch m.kind {
	case syn:
		answer := accepted
		if l.state == cut || !l.to.accept(m.wire) {
			answer = refused
		}
		n.postLocked(m.wire, false, answer, nil)
	case fin:
		m.end().receive(nil, errEnded)
	case data:
		if answer := l.to.spoil(m); answer != nil {
			n.postLocked(m.wire, false, data, answer)
			return
		}
		m.end().receive(m.data, nil)
	}
}

func (n *network) atServerLocked(m *message) {
	switch m.kind {
	case accepted, refused:
		m.answer <- m.kind == accepted
	case fin:
		m.end().receive(nil, errEnded)
	case data:
		n.tally.arrives(m, time.Now())
		m.end().receive(m.data, nil)
	}
}

// post sends a message of w, and returns at once.
func (n *network) post(w *wire, toNode bool, kind messageKind, b []byte) {
	n.mu.Lock()
	n.postLocked(w, toNode, kind, b)
	n.mu.Unlock()
	select {
	case n.kick <- struct{}{}:
	default:
	}
}

func (n *network) postLocked(w *wire, toNode bool, kind messageKind, b []byte) {
	w.messages++
	n.posted = append(n.posted, &message{wire: w, toNode: toNode, kind: kind, data: slices.Clone(b), number: w.messages})
}

// again has held messages arrive now.
func (n *network) againLocked(held []*message) {
	now := time.Now()
	for i, m := range held {
		m.at = now.Add(time.Duration(i)) // they stay in order
	}
	n.inFlight = append(n.inFlight, held...)
	slices.SortStableFunc(n.inFlight, func(a, b *message) int { return a.at.Compare(b.at) })
	select {
	case n.kick <- struct{}{}:
	default:
	}
}

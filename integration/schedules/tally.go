package schedules

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// An Event is something that must happen often enough for a run to prove anything.
type Event int

// The events that are counted: by the product, or where it has no counter, from the
// messages.
const (
	ConflictReplayed  Event = iota // holdfast.Stats.Replays
	CommitIDFound                  // placement.Stats.Settled
	CopyRefused                    // messages: a write refused by another node than the home
	Refill                         // messages: a stored session added to a node without it
	Relocation                     // placement.Stats.Relocations
	TakeOver                       // sticky.Stats.TakeOvers
	TombstoneMet                   // placement.Stats.TombstonesMet
	LockLost                       // lock.Stats.Lost
	LateAnswerDropped              // messages: an answer after its caller had gone
	events
)

// String is the event's name in the table.
func (e Event) String() string {
	return [...]string{
		"conflict replayed", "commit id found", "copy refused", "refill", "relocation", "take-over",
		"tombstone met", "lock lost", "late answer dropped",
	}[e]
}

// Counts says how often each event happened.
type Counts [events]uint64

// Add adds those of another run.
func (c *Counts) Add(other *Counts) {
	for e := range c {
		c[e] += other[e]
	}
}

// tally counts one run's events. The network's mutex guards it, but addStats.
type tally struct {
	Counts
	homes  map[string]string // of sessions, by storage key, as their browsers know them
	stored map[string]bool   // storage keys that some node has taken
}

func newTally() *tally { return &tally{homes: map[string]string{}, stored: map[string]bool{}} }

// A conversation is what was asked on a connection and is not yet answered.
type conversation struct {
	asked []asked
	rest  []byte // of an answer that came in pieces
}

type asked struct {
	command
	when  time.Time
	known bool // the session was stored before
}

// sees follows m, which was sent just now.
func (t *tally) sees(m *message, now time.Time) {
	if m.kind != data {
		return
	}
	talk := &m.conversation
	if m.toNode {
		for _, c := range commandsIn(m.data) {
			c.text = nil
			talk.asked = append(talk.asked, asked{c, now, t.stored[c.key]})
		}
		return
	}
	if len(talk.asked) > 0 {
		m.asked = talk.asked[0].when
	}
	talk.rest = append(talk.rest, m.data...)
	for len(talk.asked) > 0 {
		size := answerSize(talk.rest, talk.asked[0].verb)
		if size == 0 {
			return
		}
		t.answered(m.link.node, talk.asked[0], talk.rest[:size])
		talk.asked, talk.rest = talk.asked[1:], talk.rest[size:]
	}
}

// answerSize is the size of the first answer in b, 0 if it is not complete.
func answerSize(b []byte, verb string) int {
	end := "\r\n"
	if verb == "stats" {
		end = "END\r\n"
	}
	i := bytes.Index(b, []byte(end))
	if i < 0 {
		return 0
	}
	size := i + len(end)
	if bytes.HasPrefix(b, []byte("VA ")) {
		size += valueSize(append([]byte("VA "), b[:i]...)) + 2
	}
	if size > len(b) {
		return 0
	}
	return size
}

func (t *tally) answered(node string, to asked, answer []byte) {
	if to.verb != "ms" || !to.isRecord() {
		return
	}
	switch string(answer[:2]) {
	case "HD":
		if to.add && to.known && to.revision() > 1 {
			t.Counts[Refill]++
		}
		t.stored[to.key] = true
	case "EX", "NS", "NF":
		if home, known := t.homes[to.key]; known && home != node {
			t.Counts[CopyRefused]++
		}
	}
}

// patience is how long the product waits for one answer: half of its time for all.
const patience = operationTimeout / 2

// arrives follows m, which is at the server now.
func (t *tally) arrives(m *message, now time.Time) {
	if !m.asked.IsZero() && now.Sub(m.asked) > patience {
		t.Counts[LateAnswerDropped]++
	}
}

// addStats adds what a manager has counted.
func (c *Counts) addStats(s holdfast.Stats) {
	c[ConflictReplayed] += s.Replays
	c[CommitIDFound] += s.Placement.Settled
	c[Relocation] += s.Placement.Relocations
	c[TakeOver] += s.Local.TakeOvers
	c[TombstoneMet] += s.Placement.TombstonesMet
	c[LockLost] += s.Locks.Lost
}

// Table is the counts as text, a line each.
func (c *Counts) Table() string {
	var b strings.Builder
	for e := range events {
		fmt.Fprintf(&b, "%-20s %9d\n", e, c[e])
	}
	return b.String()
}

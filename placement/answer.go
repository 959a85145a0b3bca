package placement

import (
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A status is what is known of a message to a node.
type status uint8

const (
	unasked status = iota
	done           // HD
	refused        // EX, NS or NF: not executed
	silent         // no answer: perhaps executed, now or later
)

// An answer is what one node said last about one key, to a read or to a write.
type answer struct {
	status  status
	version store.Version  // of the item there; Absent: there is none
	mark    mark           // of the item
	record  *record.Record // the item; nil where only its mark was asked for
	ttl     time.Duration  // left, when it was read
	err     error          // silent, refused: why. Done: why the item cannot be read
}

// holds reports whether the node has an item of the epoch of m.
func (a *answer) holds(m mark) bool {
	return a.hasItem() && a.mark.epochsAfter(m) == 0
}

// follows reports whether the node has an item of r's epoch and home. A mark does
// not tell the home.
func (a *answer) follows(r *record.Record) bool {
	return a.holds(markOf(r)) && (a.record == nil || home(a.record) == home(r))
}

func (a *answer) hasItem() bool { return a.status == done && a.version != store.Absent }

// tombstone reports whether the node says that the session has ended.
func (a *answer) tombstone() bool { return a.hasItem() && a.mark.kind() == record.Tombstone }

func (a *answer) alias() bool { return a.hasItem() && a.mark.kind() == record.Alias }

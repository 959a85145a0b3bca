package demo

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A note is what happened to the cluster, for people to read.
type note struct {
	At   int64  `json:"at"`   // in Unix milliseconds
	Kind string `json:"kind"` // fault, relief or remark
	Part string `json:"part"` // whose fault it is; may be ""
	Text string `json:"text"`
}

func fault(part, format string, args ...any) note { return newNote("fault", part, format, args) }

func relief(part, format string, args ...any) note { return newNote("relief", part, format, args) }

func remark(format string, args ...any) note { return newNote("remark", "", format, args) }

func newNote(kind, part, format string, args []any) note {
	return note{time.Now().UnixMilli(), kind, part, fmt.Sprintf(format, args...)}
}

// An event is what pages are told.
type event struct {
	name string
	data []byte // JSON
}

// A feed brings events to all pages. One that does not read is left behind, and ends.
type feed struct {
	mu      sync.Mutex
	readers map[chan event]bool // guarded by mu
	notes   []note              // of the last minutes; guarded by mu
}

const (
	mostWaiting = 64
	mostNotes   = 40
)

func newFeed() *feed { return &feed{readers: map[chan event]bool{}} }

// tell tells all pages of n, and those that come later.
func (f *feed) tell(n note) {
	f.mu.Lock()
	if f.notes = append(f.notes, n); len(f.notes) > mostNotes {
		f.notes = slices.Delete(f.notes, 0, 1)
	}
	f.mu.Unlock()
	f.send("note", n)
}

func (f *feed) send(name string, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // a mistake in this package
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := range f.readers {
		select {
		case r <- event{name, data}:
		default:
			f.leaveLocked(r)
		}
	}
}

// join returns what happened until now, and a channel of all that happens later. It
// is closed when it was not read for too long.
func (f *feed) join() ([]note, chan event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := make(chan event, mostWaiting)
	f.readers[r] = true
	return append([]note{}, f.notes...), r // never null
}

func (f *feed) leave(r chan event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leaveLocked(r)
}

func (f *feed) leaveLocked(r chan event) {
	if f.readers[r] {
		delete(f.readers, r)
		close(r)
	}
}

// Package record is one session as it is stored, and its bytes.
//
// docs/wire.md describes the bytes one by one, with test vectors, so that
// another language can read and write them.
package record

import (
	"cmp"
	"slices"
	"time"
)

// A Kind says what an item under a session's storage key is.
type Kind uint8

const (
	Session   Kind = iota // a live session
	Tombstone             // a session that was destroyed; it beats every Session
	Alias                 // a session that was renewed and now lies under another key
)

// A Reason says why a session ended.
type Reason uint8

const (
	Logout   Reason = iota + 1 // Session.Destroy
	Idle                       // not used for its idle timeout
	Absolute                   // its absolute deadline passed
	Replaced                   // the new record of a renewal that lost against another
	Evicted                    // the store dropped it
)

func (r Reason) String() string {
	switch r {
	case Logout:
		return "logout"
	case Idle:
		return "idle"
	case Absolute:
		return "absolute"
	case Replaced:
		return "replaced"
	case Evicted:
		return "evicted"
	}
	return "unknown"
}

// MaxCommits is how many commit ids a record remembers. A writer that does not
// find its id after that many revisions cannot tell whether it was applied.
const MaxCommits = 16

// A Record is one session. Times have a resolution of one millisecond.
// Attribute values and lists of nodes are never changed in place: clones share them.
type Record struct {
	Kind       Kind
	Persistent bool // the browser keeps the cookie over its own restart

	Epoch    uint32   // rises when the members change
	Revision uint64   // rises with every stored change
	Members  []string // names of the nodes that hold it, home first
	Leaving  []string // names of nodes that were members before this epoch and may hold an older record: they must be told
	Commits  []uint64 // ids of the latest commits, oldest first, at most MaxCommits

	Created      time.Time
	LastAccessed time.Time     // when it was stored; reads since then show in the item's time to live only
	IdleTimeout  time.Duration // zero: never
	Deadline     time.Time     // absolute end; zero: none
	TTL          time.Duration // the item's time to live as it was sent; zero: for ever

	Owner      string // who logged in; "" before
	Login      uint32 // rises with every Login, so that changes from before are told apart
	AppVersion string // of the program that wrote it, as its options say

	Target       string    // Alias: the storage key where the session lies now
	OwnerChanged bool      // Alias: by a Login, so the old id must find nothing
	Until        time.Time // Alias: end of the grace

	Reason Reason // Tombstone

	// Outdated: it was read from bytes that are not sealed with the first key of
	// the ring. Storing it again mends that.
	Outdated bool

	attributes []Attribute // sorted by name
	extra      []byte      // trailing bytes of a later minor version, carried through
}

// An Attribute is one named value as bytes, with the tag of the codec that made them.
type Attribute struct {
	Name  string
	Codec byte
	Value []byte
}

// A roomy record is allocated together with all commits that it will remember, and with
// the nodes and the attributes of most sessions.
type roomy struct {
	Record
	commits    [MaxCommits]uint64
	members    [2]string
	attributes [4]Attribute
}

// room is where n attributes have room, and one more: the usual change.
func (r *roomy) room(n int) []Attribute {
	if n < len(r.attributes) {
		return r.attributes[:0]
	}
	return make([]Attribute, 0, n+1)
}

// New returns a record with room for what most sessions have.
func New() *Record {
	r := new(roomy)
	r.Commits, r.Record.attributes = r.commits[:0], r.room(0)
	return &r.Record
}

// Clone returns a copy that can be changed without changing r.
func (r *Record) Clone() *Record {
	c := &roomy{Record: *r}
	c.Members = slices.Clip(r.Members)
	if n := len(r.Members); n <= len(c.members) { // lest c keeps r
		copy(c.members[:], r.Members)
		c.Members = c.members[:n:n]
	}
	c.Leaving = slices.Clip(r.Leaving)
	c.Commits = append(c.commits[:0], r.Commits...)
	c.Record.attributes = append(c.room(len(r.attributes)), r.attributes...)
	return &c.Record
}

// Attributes returns all attributes, sorted by name. The slice must not be changed.
func (r *Record) Attributes() []Attribute { return r.attributes }

// Get returns the attribute called name.
func (r *Record) Get(name string) (Attribute, bool) {
	i, found := r.find(name)
	if !found {
		return Attribute{}, false
	}
	return r.attributes[i], true
}

// Set adds a or replaces the attribute of its name. a.Value must not be changed afterwards.
func (r *Record) Set(a Attribute) {
	i, found := r.find(a.Name)
	if found {
		r.attributes[i] = a
		return
	}
	r.attributes = slices.Insert(r.attributes, i, a)
}

// Delete removes the attribute called name and reports whether there was one.
func (r *Record) Delete(name string) bool {
	i, found := r.find(name)
	if found {
		r.attributes = slices.Delete(r.attributes, i, i+1)
	}
	return found
}

// Clear removes all attributes.
func (r *Record) Clear() { r.attributes = nil }

func (r *Record) find(name string) (int, bool) {
	return slices.BinarySearchFunc(r.attributes, name, func(a Attribute, name string) int {
		return cmp.Compare(a.Name, name)
	})
}

// HasCommit reports whether the commit called id is among the latest ones.
func (r *Record) HasCommit(id uint64) bool { return slices.Contains(r.Commits, id) }

// AddCommit notes id as the latest commit and forgets the oldest above MaxCommits.
func (r *Record) AddCommit(id uint64) {
	if len(r.Commits) >= MaxCommits {
		r.Commits = slices.Delete(r.Commits, 0, len(r.Commits)-MaxCommits+1)
	}
	r.Commits = append(r.Commits, id)
}

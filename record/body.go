package record

import (
	"encoding/binary"
	"slices"
	"time"
)

// Flag bits of the body's second byte. Unknown bits make a record unreadable,
// so that a later version can add a meaning that must not be ignored.
const (
	flagPersistent   = 1 << 0
	flagOwnerChanged = 1 << 1
	knownFlags       = flagPersistent | flagOwnerChanged
)

// appendBody appends everything between header and checksum; docs/wire.md has
// the same order in a table.
func (r *Record) appendBody(b []byte) []byte {
	b = append(b, byte(r.Kind), r.flags())
	b = binary.AppendUvarint(b, uint64(r.Epoch))
	b = binary.AppendUvarint(b, r.Revision)
	b = appendNames(b, r.Members)
	b = appendNames(b, r.Leaving)
	b = binary.AppendUvarint(b, uint64(len(r.Commits)))
	for _, id := range r.Commits {
		b = binary.LittleEndian.AppendUint64(b, id)
	}
	b = appendTime(b, r.Created)
	b = appendTime(b, r.LastAccessed)
	b = appendDuration(b, r.IdleTimeout)
	b = appendTime(b, r.Deadline)
	b = appendDuration(b, r.TTL)
	b = appendString(b, r.Owner)
	b = binary.AppendUvarint(b, uint64(r.Login))
	b = appendString(b, r.AppVersion)
	switch r.Kind {
	case Alias:
		b = appendString(b, r.Target)
		b = appendTime(b, r.Until)
	case Tombstone:
		b = append(b, byte(r.Reason))
	}
	b = r.appendAttributes(b)
	return append(b, r.extra...)
}

// maxNumbers is more than the numbers and times of a body take that stand there once.
const maxNumbers = 128

// sizeBound is a size that the record does not exceed, plain or sealed.
func (r *Record) sizeBound() int {
	const number = binary.MaxVarintLen32 // the length of what fits into a store
	n := sealedHeadSize + tagSize + maxNumbers + 8*len(r.Commits) + len(r.Owner) + len(r.AppVersion) + len(r.Target) + len(r.extra)
	for _, names := range [2][]string{r.Members, r.Leaving} {
		for _, name := range names {
			n += number + len(name)
		}
	}
	for i := range r.attributes {
		a := &r.attributes[i]
		n += 2*number + 1 + len(a.Name) + len(a.Value)
	}
	return n
}

// appendAttributes writes a directory, then all names, then all values: the
// names lie together so that a reader makes one string of them.
func (r *Record) appendAttributes(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(r.attributes)))
	for _, a := range r.attributes {
		b = binary.AppendUvarint(b, uint64(len(a.Name)))
		b = append(b, a.Codec)
		b = binary.AppendUvarint(b, uint64(len(a.Value)))
	}
	for _, a := range r.attributes {
		b = append(b, a.Name...)
	}
	for _, a := range r.attributes {
		b = append(b, a.Value...)
	}
	return b
}

func (r *Record) flags() byte {
	var f byte
	if r.Persistent {
		f |= flagPersistent
	}
	if r.OwnerChanged {
		f |= flagOwnerChanged
	}
	return f
}

func (c *Codec) parseBody(b []byte, outdated bool) (*Record, error) {
	d := decoder{rest: b, shared: c.shared}
	r := &roomy{Record: Record{Kind: Kind(d.byte()), Outdated: outdated}}
	flags := d.byte()
	r.Persistent = flags&flagPersistent != 0
	r.OwnerChanged = flags&flagOwnerChanged != 0
	if r.Kind > Alias || flags&^knownFlags != 0 {
		d.fail("kind %d with flags %#x is of a later version", r.Kind, flags)
	}
	r.Epoch = d.uint32()
	r.Revision = d.uvarint()
	r.Members = d.names(r.members[:0])
	r.Leaving = d.names(nil)
	r.Commits = d.commits(r.commits[:0])
	r.Created = d.time()
	r.LastAccessed = d.time()
	r.IdleTimeout = d.duration()
	r.Deadline = d.time()
	r.TTL = d.duration()
	r.Owner = d.string()
	r.Login = d.uint32()
	r.AppVersion = d.shared.string(d.take(d.count(1)))
	switch r.Kind {
	case Alias:
		r.Target = d.string()
		r.Until = d.time()
	case Tombstone:
		r.Reason = Reason(d.byte())
	}
	r.Record.attributes = d.attributes(r)
	if d.err != nil {
		return nil, d.err
	}
	r.extra = d.rest
	return &r.Record, nil
}

func (d *decoder) names(room []string) []string {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	if n > cap(room) {
		room = make([]string, 0, n)
	}
	for range n {
		room = append(room, d.shared.string(d.take(d.count(1))))
	}
	if d.err != nil {
		return nil
	}
	return slices.Clip(room)
}

func (d *decoder) commits(ids []uint64) []uint64 {
	n := d.count(8)
	if n > MaxCommits {
		d.fail("%d commit ids, at most %d", n, MaxCommits)
	}
	for range min(n, MaxCommits) {
		ids = append(ids, d.uint64())
	}
	return ids
}

func (d *decoder) attributes(r *roomy) []Attribute {
	n := d.count(3)
	if n == 0 || d.err != nil {
		return nil
	}
	as := r.room(n)[:n]
	directory := *d
	nameBytes := 0
	for range as {
		nameLen := d.count(1)
		d.byte()
		d.count(1)
		if nameBytes += nameLen; nameBytes > len(d.rest) {
			d.fail("attribute names beyond the end")
			return nil
		}
	}
	names := d.shared.string(d.take(nameBytes)) // those of one app's sessions are mostly the same
	for i := range as {
		nameLen := directory.count(1)
		codec := directory.byte()
		value := d.take(directory.count(1))
		if d.err != nil {
			return nil
		}
		as[i] = Attribute{Name: names[:nameLen], Codec: codec, Value: value}
		names = names[nameLen:]
		if i > 0 && as[i-1].Name >= as[i].Name {
			d.fail("attribute names not in order")
			return nil
		}
	}
	return as
}

// A decoder takes fields off the front of rest. After the first error all
// further fields are zero.
type decoder struct {
	rest   []byte
	err    error
	shared *shared
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = unreadable(format, args...)
	}
	d.rest = nil
}

// take returns the next n bytes, capped so that appending to them copies.
func (d *decoder) take(n int) []byte {
	if n > len(d.rest) {
		d.fail("it ends too early")
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail("a number is damaged")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) uint32() uint32 {
	v := d.uvarint()
	if v > 1<<32-1 {
		d.fail("number %d is too large", v)
		return 0
	}
	return uint32(v)
}

// count reads how many things of at least size bytes each follow. A count that
// cannot fit into the rest fails, so that hostile bytes cannot make a reader
// allocate more than they are.
func (d *decoder) count(size int) int {
	v := d.uvarint()
	if d.err == nil && v > uint64(len(d.rest)/size) {
		d.fail("a count of %d goes beyond the end", v)
	}
	if d.err != nil {
		return 0
	}
	return int(v)
}

func (d *decoder) string() string { return string(d.take(d.count(1))) }

// maxMillis is the latest time (in the year 2262) and the longest duration of a
// record: what time.Duration can hold.
const maxMillis = uint64(1<<63-1) / uint64(time.Millisecond)

func (d *decoder) millis() int64 {
	v := d.uvarint()
	if v > maxMillis {
		d.fail("a time of %d ms is out of range", v)
		return 0
	}
	return int64(v)
}

func (d *decoder) time() time.Time {
	if ms := d.millis(); ms > 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}

func (d *decoder) duration() time.Duration { return time.Duration(d.millis()) * time.Millisecond }

// appendTime takes the nearest time that a record can hold: one that is set
// must not become "none", which for a deadline is "for ever".
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return binary.AppendUvarint(b, min(uint64(max(t.UnixMilli(), 1)), maxMillis))
}

// appendDuration rounds up: a life must not become shorter, and one of less
// than a millisecond must not become "for ever".
func appendDuration(b []byte, d time.Duration) []byte {
	const unit = uint64(time.Millisecond)
	return binary.AppendUvarint(b, min((uint64(max(d, 0))+unit-1)/unit, maxMillis))
}

func appendNames(b []byte, names []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(names)))
	for _, name := range names {
		b = appendString(b, name)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

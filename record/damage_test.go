package record_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast/record"
)

// A form is one way to store sample, with the most permissive codec that reads
// it: one that would also take the other form.
type form struct {
	name  string
	codec *record.Codec
	bytes []byte
}

// forms seals with a fixed nonce, so that a failing test fails again.
func forms(t *testing.T) []form {
	open, both := newCodec(t, false), newCodec(t, true, key(7), key(8))
	return []form{
		{"plain", open, open.Append(nil, sample(), storageKey)},
		{"plain among sealed", both, open.Append(nil, sample(), storageKey)},
		{"sealed", both, both.AppendSealedBody(nil, [24]byte{1, 2, 3}, bodyOf(t, sample()), storageKey)},
	}
}

func wantUnreadable(t *testing.T, c *record.Codec, b []byte, storageKey, what string) {
	t.Helper()
	if r, err := c.Parse(b, storageKey); r != nil || !errors.Is(err, record.ErrUnreadable) {
		t.Errorf("%s: got %v, %v, want ErrUnreadable", what, r, err)
	}
}

func TestEveryChangedByteIsUnreadable(t *testing.T) {
	for _, f := range forms(t) {
		t.Run(f.name, func(t *testing.T) {
			for i := range f.bytes {
				for mask := 1; mask < 256; mask++ {
					b := bytes.Clone(f.bytes)
					b[i] ^= byte(mask)
					if r, err := f.codec.Parse(b, storageKey); r != nil || !errors.Is(err, record.ErrUnreadable) {
						t.Fatalf("byte %d xor %#x: got %v, %v, want ErrUnreadable", i, mask, r, err)
					}
				}
			}
		})
	}
}

func TestEveryOtherLengthIsUnreadable(t *testing.T) {
	for _, f := range forms(t) {
		t.Run(f.name, func(t *testing.T) {
			for n := range f.bytes {
				wantUnreadable(t, f.codec, f.bytes[:n:n], storageKey, "cut short")
				wantUnreadable(t, f.codec, f.bytes[n+1:], storageKey, "cut in front")
			}
			for c := range 256 {
				wantUnreadable(t, f.codec, append(bytes.Clone(f.bytes), byte(c)), storageKey, "one byte more")
			}
			wantUnreadable(t, f.codec, append(bytes.Clone(f.bytes), f.bytes...), storageKey, "twice")
			wantUnreadable(t, f.codec, nil, storageKey, "nothing")
		})
	}
}

func TestRecordUnderAnotherKeyIsUnreadable(t *testing.T) {
	others := []string{
		"", storageKey[1:], storageKey + "A", storageKey + "\x00", strings.ToLower(storageKey),
		"B" + storageKey[1:], storageKey + storageKey, strings.Repeat("A", 43), strings.Repeat("A", 200),
	}
	for _, f := range forms(t) {
		t.Run(f.name, func(t *testing.T) {
			for _, other := range others {
				wantUnreadable(t, f.codec, f.bytes, other, "under "+other)
			}
		})
	}
}

// TestUnknownFormatsAreUnreadable uses good checksums and tags: it is not
// damage that is found here, but a record of a later version.
func TestUnknownFormatsAreUnreadable(t *testing.T) {
	open, sealed := newCodec(t, true), newCodec(t, true, key(7))
	body := bodyOf(t, sample())
	changed := func(at int, value byte) []byte {
		b := bytes.Clone(body)
		b[at] = value
		return b
	}
	for kind := 3; kind < 256; kind++ {
		b := changed(0, byte(kind))
		wantUnreadable(t, open, plain(b, storageKey), storageKey, "unknown kind")
		wantUnreadable(t, sealed, sealed.AppendSealedBody(nil, [24]byte{}, b, storageKey), storageKey, "unknown kind, sealed")
	}
	for flags := 4; flags < 256; flags++ {
		b := changed(1, byte(flags))
		wantUnreadable(t, open, plain(b, storageKey), storageKey, "unknown flags")
		wantUnreadable(t, sealed, sealed.AppendSealedBody(nil, [24]byte{}, b, storageKey), storageKey, "unknown flags, sealed")
	}
	for i := range 256 {
		if i != 1 {
			wantUnreadable(t, open, checksummed([]byte{'H', 'F', byte(i), 0}, body, storageKey), storageKey, "unknown version")
		}
		if i != 0 {
			wantUnreadable(t, open, checksummed([]byte{'H', 'F', 1, byte(i)}, body, storageKey), storageKey, "unknown form")
		}
	}
	wantUnreadable(t, open, checksummed([]byte("hf\x01\x00"), body, storageKey), storageKey, "another magic")
	wantUnreadable(t, open, checksummed([]byte("FH\x01\x00"), body, storageKey), storageKey, "another magic")
}

// TestHeaderIsNotItsOwnChecksum: under this key the four bytes of the header
// are the right checksum of nothing.
func TestHeaderIsNotItsOwnChecksum(t *testing.T) {
	const key = "\xac\xd2\x24\xe2"
	if got, want := checksummed(nil, nil, key), "HF\x01\x00"; string(got) != want {
		t.Fatalf("got %q, want %q: this test proves nothing", got, want)
	}
	wantUnreadable(t, newCodec(t, false), []byte("HF\x01\x00"), key, "header only")
}

func TestMalformedBodiesAreUnreadable(t *testing.T) {
	const (
		head    = "\x00\x00\x01\x01"     // kind, flags, epoch, revision
		times   = "\x00\x00\x00\x00\x00" // created, last accessed, idle timeout, deadline, TTL
		owner   = "\x00\x00\x00"         // owner, login, application version
		nobody  = "\x00\x00"             // no members, nobody leaving
		fixed   = nobody + "\x00" + times + owner
		tooLong = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"
		number  = "\x80\x80\x80\x80\x10"         // 2³²
		late    = "\xf7\xb5\xc1\xde\xb7\x8c\x02" // one above the latest
	)
	cases := []struct{ name, body, want string }{
		{"empty", "", "ends too early"},
		{"number does not end", "\x00\x00\xff", "number is damaged"},
		{"number above 64 bits", "\x00\x00\x01" + tooLong, "number is damaged"},
		{"epoch above 32 bits", "\x00\x00" + number + "\x01" + fixed + "\x00", "too large"},
		{"login above 32 bits", head + nobody + "\x00" + times + "\x00" + number + "\x00" + "\x00", "too large"},
		{"members beyond the end", head + "\x7f\x00\x00" + times + owner + "\x00", "count of 127"},
		{"member's name beyond the end", head + "\x01\x7f\x00\x00" + times + owner + "\x00", "count of 127"},
		{"leaving nodes beyond the end", head + "\x00\x7f\x00" + times + owner + "\x00", "count of 127"},
		{"leaving node's name beyond the end", head + "\x00\x01\x7f\x00" + times + owner + "\x00", "count of 127"},
		{"it ends after the members", head + "\x01\x02n1", "number is damaged"},
		{"commits beyond the end", head + nobody + "\x03" + times + owner + "\x00", "count of 3"},
		{"17 commits", head + nobody + "\x11" + strings.Repeat("\x00", 17*8) + times + owner + "\x00", "17 commit ids"},
		{"time above the latest", head + nobody + "\x00" + late + "\x00\x00\x00\x00" + owner + "\x00", "out of range"},
		{"duration above the longest", head + nobody + "\x00" + "\x00\x00" + late + "\x00\x00" + owner + "\x00", "out of range"},
		{"owner beyond the end", head + nobody + "\x00" + times + "\x7f\x00\x00" + "\x00", "count of 127"},
		{"no attribute count", head + fixed, "number is damaged"},
		{"attributes beyond the end", head + fixed + "\x02\x00\x01\x00", "count of 2"},
		{"attribute name beyond the end", head + fixed + "\x01\x04\x01\x00" + "a", "count of 4"},
		{"attribute names beyond the end together", head + fixed + "\x02\x03\x01\x00\x03\x01\x00" + "abcd", "names beyond the end"},
		{"attribute names run into nothing", head + fixed + "\x01\x02\x01\x00" + "a", "names beyond the end"},
		{"attribute value beyond the end", head + fixed + "\x01\x01\x01\x02" + "a" + "v", "ends too early"},
		{"attribute names out of order", head + fixed + "\x02\x01\x01\x00\x01\x01\x00" + "ba", "not in order"},
		{"attribute name twice", head + fixed + "\x02\x01\x01\x00\x01\x01\x00" + "aa", "not in order"},
		{"alias without a target", "\x02\x00\x01\x01" + fixed, "number is damaged"},
		{"tombstone without a reason", "\x01\x00\x01\x01" + fixed, "ends too early"},
	}
	c, sealed := newCodec(t, false), newCodec(t, false, key(7))
	if _, err := c.Parse(plain([]byte(head+fixed+"\x00"), storageKey), storageKey); err != nil {
		t.Fatalf("the body that the cases vary: %v", err)
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := c.Parse(plain([]byte(tc.body), storageKey), storageKey)
			if !errors.Is(err, record.ErrUnreadable) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("plain: got %v, want ErrUnreadable with %q", err, tc.want)
			}
			b := sealed.AppendSealedBody(nil, [24]byte{}, []byte(tc.body), storageKey)
			wantUnreadable(t, sealed, b, storageKey, "sealed")
		})
	}
}

// TestEveryCutBodyIsUnreadable cuts inside a good checksum, so that the body's
// own lengths have to notice.
func TestEveryCutBodyIsUnreadable(t *testing.T) {
	for _, kind := range []record.Kind{record.Session, record.Tombstone, record.Alias} {
		r := sample()
		r.Kind, r.Target, r.Until, r.Reason = kind, storageKey, r.Created, record.Absolute
		body, c := bodyOf(t, r), newCodec(t, false)
		for n := range body {
			wantUnreadable(t, c, plain(body[:n], storageKey), storageKey, "cut short")
		}
	}
}

// TestHostileCountsAllocateLittle: anybody who can write to a cache node can
// make a plain record, and it must not cost a reader much more than its size.
func TestHostileCountsAllocateLittle(t *testing.T) {
	const size, factor = 1 << 20, 20
	count := func(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }
	head := []byte("\x00\x00\x01\x01")
	noAttributes := append(bytes.Clone(head), make([]byte, 11)...)
	zeros := make([]byte, size)
	cases := []struct {
		name string
		body [][]byte
	}{
		{"members, all that fit", [][]byte{head, count(size), zeros}},
		{"members, more than fit", [][]byte{head, count(size + 1), zeros}},
		{"members, 2⁶³", [][]byte{head, count(-1 << 63), zeros}},
		{"members, then one that is damaged", [][]byte{head, count(size - 8), zeros[:100], bytes.Repeat([]byte{0xff}, size)}},
		{"leaving nodes, all that fit", [][]byte{head, {0}, count(size), zeros}},
		{"leaving nodes, more than fit", [][]byte{head, {0}, count(size + 1), zeros}},
		{"members and leaving nodes, half each", [][]byte{head, count(size / 2), zeros[:size/2], count(size/2 - 8), zeros}},
		{"commits, all that fit", [][]byte{head, {0, 0}, count(size / 8), zeros}},
		{"attributes, all that fit", [][]byte{noAttributes, count(size / 3), zeros}},
		{"attributes, more than fit", [][]byte{noAttributes, count(size/3 + 1), zeros}},
		{"attributes, 2⁶⁴-1", [][]byte{noAttributes, count(-1), zeros}},
		{"attributes, all sharing their bytes", [][]byte{noAttributes, count(size / 8), bytes.Repeat([]byte{0xff, 0xff, 3}, size/3)}},
		{"one name of nearly all", [][]byte{noAttributes, count(1), count(size - 8), {0, 0}, zeros}},
	}
	c := newCodec(t, false)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			b := plain(bytes.Join(tc.body, nil), storageKey)
			allocated := bytesAllocated(func() { _, _ = c.Parse(b, storageKey) })
			if limit := uint64(factor*len(b) + 64<<10); allocated > limit {
				t.Errorf("%d bytes of input: got %d bytes allocated, want at most %d", len(b), allocated, limit)
			}
		})
	}
}

func bytesAllocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

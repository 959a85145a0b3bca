package record_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast/record"
)

// benchRecord is a session of two members and three attributes, 520 bytes when
// it is plain. No node is leaving, as is usual.
func benchRecord(tb testing.TB) *record.Record {
	const size = 520
	r := sample()
	r.Leaving = nil
	c := newCodec(tb, false)
	r.Set(record.Attribute{Name: "cart", Codec: 8, Value: bytes.Repeat([]byte("c"), 128)}) // a length of two bytes
	missing := size - len(c.Append(nil, r, storageKey))
	r.Set(record.Attribute{Name: "cart", Codec: 8, Value: bytes.Repeat([]byte("c"), 128+missing)})
	if got := len(c.Append(nil, r, storageKey)); got != size {
		tb.Fatalf("got %d bytes, want %d", got, size)
	}
	return r
}

func TestAppendIntoRoomAllocatesNothing(t *testing.T) {
	c, r := newCodec(t, false), benchRecord(t)
	buf := make([]byte, 0, 1024)
	if got := testing.AllocsPerRun(100, func() { c.Append(buf, r, storageKey) }); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func TestNoRecordExceedsTheRoomThatIsMadeForIt(t *testing.T) {
	c, rng := newCodec(t, false), rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		r := random(rng)
		if size, bound := len(c.Append(nil, r, storageKey)), r.SizeBound(); size > bound {
			t.Fatalf("got %d bytes, want at most %d, for %+v", size, bound, r)
		}
	}
}

// TestParseAllocations: the record with room for commits, members and attributes, and
// the owner. Two names of one codec can take the same slot by chance.
func TestParseAllocations(t *testing.T) {
	const want = 2
	r, got := benchRecord(t), math.Inf(1)
	for range 3 {
		c := newCodec(t, false)
		b := c.Append(nil, r, storageKey)
		got = min(got, testing.AllocsPerRun(100, func() { _, _ = c.Parse(b, storageKey) }))
	}
	if got > want {
		t.Errorf("got %v allocations, want at most %d", got, want)
	}
}

// What takes a slot that another string had is itself.
func TestNamesThatManyRecordsHaveAreTheirOwn(t *testing.T) {
	c := newCodec(t, false)
	for i := range 10_000 {
		r := &record.Record{Members: []string{fmt.Sprint("node", i%3000), fmt.Sprint("n", i)}, AppVersion: strings.Repeat("v", i%600)}
		r.Set(record.Attribute{Name: fmt.Sprint("a", i%2000)})
		got, err := c.Parse(c.Append(nil, r, storageKey), storageKey)
		if err != nil {
			t.Fatal(err)
		}
		_, has := got.Get(r.Attributes()[0].Name)
		if !slices.Equal(got.Members, r.Members) || got.AppVersion != r.AppVersion || !has {
			t.Fatalf("got %v %q %v, want %v %q %v", got.Members, got.AppVersion, got.Attributes(), r.Members, r.AppVersion, r.Attributes())
		}
	}
}

// TestParsedRecordHasRoom: one more commit and one more attribute are the usual
// change.
func TestParsedRecordHasRoom(t *testing.T) {
	c, r := newCodec(t, false), benchRecord(t)
	b, value := c.Append(nil, r, storageKey), []byte("v")
	change := func() {
		r, err := c.Parse(b, storageKey)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCommit(1)
		r.Set(record.Attribute{Name: "one more", Codec: 1, Value: value})
	}
	onlyParse := func() { _, _ = c.Parse(b, storageKey) }
	if got, want := testing.AllocsPerRun(100, change), testing.AllocsPerRun(100, onlyParse); got != want {
		t.Errorf("got %v allocations with the change, want %v as without", got, want)
	}
}

func benchForms(b *testing.B, bench func(b *testing.B, c *record.Codec)) {
	b.Run("plain", func(b *testing.B) { bench(b, newCodec(b, false)) })
	b.Run("sealed", func(b *testing.B) { bench(b, newCodec(b, false, key(7))) })
}

func BenchmarkAppend(b *testing.B) {
	benchForms(b, func(b *testing.B, c *record.Codec) {
		r, buf := benchRecord(b), make([]byte, 0, 1024)
		b.SetBytes(int64(len(c.Append(buf, r, storageKey))))
		b.ReportAllocs()
		for b.Loop() {
			c.Append(buf, r, storageKey)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	benchForms(b, func(b *testing.B, c *record.Codec) {
		stored := c.Append(nil, benchRecord(b), storageKey)
		b.SetBytes(int64(len(stored)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Parse(stored, storageKey); err != nil {
				b.Fatal(err)
			}
		}
	})
}

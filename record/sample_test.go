package record_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
)

const storageKey = "mJ8vE0bHq3nYc5d1uXw_Zk2oRtA-7sLgPf4iB9yKxDM"

// key makes a key of a ring.
func key(fill byte) []byte { return bytes.Repeat([]byte{fill}, record.KeySize) }

func newCodec(t testing.TB, allowPlain bool, keys ...[]byte) *record.Codec {
	t.Helper()
	c, err := record.NewCodec(keys, allowPlain)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// inBothForms runs test with a codec of plain and one of sealed records.
func inBothForms(t *testing.T, test func(t *testing.T, c *record.Codec)) {
	t.Run("plain", func(t *testing.T) { test(t, newCodec(t, false)) })
	t.Run("sealed", func(t *testing.T) { test(t, newCodec(t, false, key(7))) })
}

func parse(t testing.TB, c *record.Codec, b []byte) *record.Record {
	t.Helper()
	r, err := c.Parse(b, storageKey)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return r
}

// plain frames body as a plain record with a good checksum, by the words of
// docs/wire.md and without the package's help.
func plain(body []byte, storageKey string) []byte {
	return checksummed([]byte{'H', 'F', 1, 0}, body, storageKey)
}

func checksummed(header, body []byte, storageKey string) []byte {
	b := append(bytes.Clone(header), body...)
	sum := crc32.Checksum(append([]byte(storageKey), b...), crc32.MakeTable(crc32.Castagnoli))
	return binary.LittleEndian.AppendUint32(b, sum)
}

// bodyOf returns the body of r, which both forms carry.
func bodyOf(t testing.TB, r *record.Record) []byte {
	b := newCodec(t, false).Append(nil, r, storageKey)
	return b[4 : len(b)-4]
}

// sample is a record with every field of a session set.
func sample() *record.Record {
	created := time.UnixMilli(1_790_000_000_123)
	r := &record.Record{
		Persistent: true, Epoch: 3, Revision: 412,
		Members: []string{"n1", "n2"}, Leaving: []string{"n3"}, Commits: []uint64{1, 1 << 63, 77},
		Created: created, LastAccessed: created.Add(time.Hour), IdleTimeout: 30 * time.Minute,
		Deadline: created.Add(12 * time.Hour), TTL: 33*time.Minute + 45*time.Second,
		Owner: "zoë", Login: 2, AppVersion: "shop-1.4",
	}
	r.Set(record.Attribute{Name: "cart", Codec: 8, Value: []byte(`{"items":["tea","milk"]}`)})
	r.Set(record.Attribute{Name: "user", Codec: 1, Value: []byte("Zoë")})
	r.Set(record.Attribute{Name: "visits", Codec: 3, Value: []byte{0x54}})
	return r
}

// random returns a record that survives a round trip exactly: times and
// durations in whole milliseconds, and only the fields of its kind.
func random(rng *rand.Rand) *record.Record {
	r := &record.Record{
		Kind: record.Kind(rng.IntN(3)), Persistent: rng.IntN(2) == 0, OwnerChanged: rng.IntN(2) == 0,
		Epoch: uint32(randomNumber(rng)), Revision: randomNumber(rng),
		Created: randomTime(rng), LastAccessed: randomTime(rng), IdleTimeout: randomDuration(rng),
		Deadline: randomTime(rng), TTL: randomDuration(rng),
		Owner: randomText(rng), Login: uint32(randomNumber(rng)), AppVersion: randomText(rng),
	}
	for range rng.IntN(4) {
		r.Members = append(r.Members, randomText(rng))
	}
	for range rng.IntN(3) {
		r.Leaving = append(r.Leaving, randomText(rng))
	}
	for range rng.IntN(record.MaxCommits + 1) {
		r.AddCommit(randomNumber(rng))
	}
	switch r.Kind {
	case record.Alias:
		r.Target, r.Until = randomText(rng), randomTime(rng)
	case record.Tombstone:
		r.Reason = record.Reason(rng.IntN(256))
	}
	for range rng.IntN(12) {
		r.Set(record.Attribute{Name: randomText(rng), Codec: byte(rng.IntN(256)), Value: []byte(randomText(rng))})
	}
	return r
}

// randomNumber is of any bit length with the same probability.
func randomNumber(rng *rand.Rand) uint64 { return rng.Uint64() >> rng.IntN(65) }

const maxMillis = 9_223_372_036_854

func randomTime(rng *rand.Rand) time.Time {
	if ms := randomNumber(rng) % (maxMillis + 1); ms > 0 {
		return time.UnixMilli(int64(ms))
	}
	return time.Time{}
}

func randomDuration(rng *rand.Rand) time.Duration {
	return time.Duration(randomNumber(rng)%(maxMillis+1)) * time.Millisecond
}

// randomText is any bytes: often none, seldom more than fit a one-byte length.
func randomText(rng *rand.Rand) string {
	b := make([]byte, randomNumber(rng)%257>>rng.IntN(9))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return string(b)
}

// difference says in what got is not want; "" when they are equal. It goes
// over the fields by reflection, so that a new one cannot be forgotten.
func difference(got, want *record.Record) string {
	g, w := reflect.ValueOf(*got), reflect.ValueOf(*want)
	for i, f := range reflect.VisibleFields(g.Type()) {
		if !f.IsExported() {
			continue
		}
		if a, b := g.Field(i).Interface(), w.Field(i).Interface(); !same(a, b) {
			return fmt.Sprintf("%s: got %v, want %v", f.Name, a, b)
		}
	}
	if len(got.Attributes()) != len(want.Attributes()) {
		return fmt.Sprintf("got %d attributes, want %d", len(got.Attributes()), len(want.Attributes()))
	}
	for i, a := range got.Attributes() {
		if b := want.Attributes()[i]; a.Name != b.Name || a.Codec != b.Codec || !bytes.Equal(a.Value, b.Value) {
			return fmt.Sprintf("attribute %d: got %.100q, want %.100q", i, a, b)
		}
	}
	return ""
}

func same(a, b any) bool {
	switch a := a.(type) {
	case time.Time:
		return a.Equal(b.(time.Time))
	case []string:
		return slices.Equal(a, b.([]string))
	case []uint64:
		return slices.Equal(a, b.([]uint64))
	}
	return a == b
}

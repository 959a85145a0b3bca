package record_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
)

func roundTrip(t *testing.T, c *record.Codec, r *record.Record) *record.Record {
	t.Helper()
	got := parse(t, c, c.Append(nil, r, storageKey))
	if d := difference(got, r); d != "" {
		t.Fatal(d)
	}
	return got
}

func TestEveryFieldSurvives(t *testing.T) {
	inBothForms(t, func(t *testing.T, c *record.Codec) {
		for i, f := range reflect.VisibleFields(reflect.TypeFor[record.Record]()) {
			if !f.IsExported() || f.Name == "Outdated" { // which is not stored
				continue
			}
			t.Run(f.Name, func(t *testing.T) {
				r := &record.Record{Kind: kindThatCarries(f.Name)}
				setNonZero(t, reflect.ValueOf(r).Elem().Field(i))
				roundTrip(t, c, r)
			})
		}
	})
}

func kindThatCarries(field string) record.Kind {
	switch field {
	case "Target", "Until":
		return record.Alias
	case "Reason":
		return record.Tombstone
	}
	return record.Session
}

func setNonZero(t *testing.T, v reflect.Value) {
	switch v.Interface().(type) {
	case bool:
		v.SetBool(true)
	case record.Kind, record.Reason:
		v.SetUint(2)
	case uint32, uint64:
		v.SetUint(300)
	case string:
		v.SetString("text")
	case []string:
		v.Set(reflect.ValueOf([]string{"n1", "n2"}))
	case []uint64:
		v.Set(reflect.ValueOf([]uint64{5, 6}))
	case time.Time:
		v.Set(reflect.ValueOf(time.UnixMilli(1_790_000_000_001)))
	case time.Duration:
		v.SetInt(int64(90 * time.Millisecond))
	default:
		t.Fatalf("no sample value for a %v: add one here", v.Type())
	}
}

func TestRandomRecordsSurvive(t *testing.T) {
	inBothForms(t, func(t *testing.T, c *record.Codec) {
		for seed := range uint64(1500) {
			r := random(rand.New(rand.NewPCG(seed, 1)))
			b := c.Append(nil, r, storageKey)
			if d := difference(parse(t, c, b), r); d != "" {
				t.Fatalf("seed %d: %s", seed, d)
			}
		}
	})
}

func TestEdgesSurvive(t *testing.T) {
	edges := []struct {
		name string
		set  func(r *record.Record)
	}{
		{"nothing set", func(*record.Record) {}},
		{"largest numbers", func(r *record.Record) {
			r.Epoch, r.Revision, r.Login = math.MaxUint32, math.MaxUint64, math.MaxUint32
		}},
		{"never times out", func(r *record.Record) { r.IdleTimeout, r.TTL, r.Deadline = 0, 0, time.Time{} }},
		{"latest time and longest durations", func(r *record.Record) {
			r.Deadline = time.UnixMilli(maxMillis)
			r.IdleTimeout, r.TTL = maxMillis*time.Millisecond, maxMillis*time.Millisecond
		}},
		{"sixteen commits", func(r *record.Record) {
			for i := range uint64(record.MaxCommits) {
				r.AddCommit(math.MaxUint64 - i)
			}
		}},
		{"many members, one without a name", func(r *record.Record) {
			r.Members = append(slices.Repeat([]string{strings.Repeat("n", 32)}, 300), "")
		}},
		{"many nodes leave, one without a name", func(r *record.Record) {
			r.Leaving = append([]string{""}, slices.Repeat([]string{strings.Repeat("n", 32)}, 300)...)
		}},
		{"a node is a member and leaves", func(r *record.Record) {
			r.Members, r.Leaving = []string{"n1", "n2"}, []string{"n2"}
		}},
		{"10,000 attributes", func(r *record.Record) {
			for i := range 10_000 {
				r.Set(record.Attribute{Name: fmt.Sprintf("attribute %05d", i), Codec: byte(i), Value: []byte{byte(i >> 8)}})
			}
		}},
		{"empty value", func(r *record.Record) { r.Set(record.Attribute{Name: "a", Codec: 1}) }},
		{"empty name", func(r *record.Record) { r.Set(record.Attribute{Codec: 1, Value: []byte("v")}) }},
		{"empty name and value", func(r *record.Record) { r.Set(record.Attribute{}) }},
		{"binary names", func(r *record.Record) {
			for _, name := range []string{"\x00", "\x00\x00", "\xff\xfe", "a\x00b", "zoë", "HF\x01\x00", "\n\r "} {
				r.Set(record.Attribute{Name: name, Codec: 2, Value: []byte(name)})
			}
		}},
		{"value of 1 MB", func(r *record.Record) {
			r.Set(record.Attribute{Name: "big", Codec: 2, Value: bytes.Repeat([]byte("\x00\xff"), 1<<19)})
		}},
		{"every codec tag", func(r *record.Record) {
			for tag := range 256 {
				r.Set(record.Attribute{Name: fmt.Sprint(tag), Codec: byte(tag), Value: []byte("v")})
			}
		}},
	}
	for _, edge := range edges {
		t.Run(edge.name, func(t *testing.T) {
			inBothForms(t, func(t *testing.T, c *record.Codec) {
				for _, kind := range []record.Kind{record.Session, record.Tombstone, record.Alias} {
					r := &record.Record{Kind: kind}
					edge.set(r)
					roundTrip(t, c, r)
				}
			})
		})
	}
}

func TestTimesAreStoredInMilliseconds(t *testing.T) {
	last := time.UnixMilli(maxMillis)
	cases := []struct {
		name     string
		in, want time.Time
	}{
		{"none", time.Time{}, time.Time{}},
		{"cut to the millisecond", time.Unix(1_790_000_000, 999_999_999), time.UnixMilli(1_790_000_000_999)},
		{"in a zone", time.UnixMilli(1_790_000_000_001).In(time.FixedZone("", 3600)), time.UnixMilli(1_790_000_000_001)},
		{"the epoch is not none", time.Unix(0, 0), time.UnixMilli(1)},
		{"before the epoch is not none", time.Unix(-5, 0), time.UnixMilli(1)},
		{"latest", last, last},
		{"after the latest", last.Add(time.Second), last},
		{"in the year 9999", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), last},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			codec := newCodec(t, false)
			r := parse(t, codec, codec.Append(nil, &record.Record{Deadline: c.in}, storageKey))
			if !r.Deadline.Equal(c.want) {
				t.Errorf("got %v, want %v", r.Deadline, c.want)
			}
		})
	}
}

func TestDurationsAreRoundedUp(t *testing.T) {
	const longest = maxMillis * time.Millisecond
	cases := []struct {
		name     string
		in, want time.Duration
	}{
		{"never", 0, 0},
		{"negative is never", -1, 0},
		{"most negative is never", math.MinInt64, 0},
		{"shortest is not never", 1, time.Millisecond},
		{"whole", 5 * time.Millisecond, 5 * time.Millisecond},
		{"a bit more", 5*time.Millisecond + 1, 6 * time.Millisecond},
		{"longest", longest, longest},
		{"longer than a record holds", math.MaxInt64, longest},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			codec := newCodec(t, false)
			r := parse(t, codec, codec.Append(nil, &record.Record{IdleTimeout: c.in}, storageKey))
			if r.IdleTimeout != c.want {
				t.Errorf("got %v, want %v", r.IdleTimeout, c.want)
			}
		})
	}
}

func TestFieldsOfOtherKindsAreNotStored(t *testing.T) {
	codec := newCodec(t, false)
	r := sample()
	r.Target, r.Until, r.Reason = "target", r.Created, record.Idle
	if d := difference(parse(t, codec, codec.Append(nil, r, storageKey)), sample()); d != "" {
		t.Error(d)
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	inBothForms(t, func(t *testing.T, c *record.Codec) {
		for _, room := range []int{0, 4096} {
			b := c.Append(append(make([]byte, 0, room), "before"...), sample(), storageKey)
			if got := string(b[:6]); got != "before" {
				t.Errorf("room for %d: got %q in front, want %q", room, got, "before")
			}
			if d := difference(parse(t, c, b[6:]), sample()); d != "" {
				t.Errorf("room for %d: %s", room, d)
			}
		}
	})
}

// TestLaterMinorVersionIsCarriedThrough proves that a program of this version
// can change a record of a later one and loses nothing of it.
func TestLaterMinorVersionIsCarriedThrough(t *testing.T) {
	later := []byte("\x05later\x00\xff")
	r := sample()
	r.Set(record.Attribute{Name: "unknown", Codec: 127, Value: []byte("\x00\x01")})
	c, sealed := newCodec(t, false), newCodec(t, false, key(7))
	b := plain(append(bodyOf(t, r), later...), storageKey)

	if got := c.Append(nil, parse(t, c, b), storageKey); !bytes.Equal(got, b) {
		t.Errorf("plain: got\n%x, want\n%x", got, b)
	}
	if got := c.Append(nil, parse(t, c, b).Clone(), storageKey); !bytes.Equal(got, b) {
		t.Errorf("clone: got\n%x, want\n%x", got, b)
	}
	throughSealed := parse(t, sealed, sealed.Append(nil, parse(t, c, b), storageKey))
	if got := c.Append(nil, throughSealed, storageKey); !bytes.Equal(got, b) {
		t.Errorf("sealed: got\n%x, want\n%x", got, b)
	}

	changed := parse(t, c, b).Clone()
	changed.Set(record.Attribute{Name: "new", Codec: 1, Value: []byte("v")})
	r.Set(record.Attribute{Name: "new", Codec: 1, Value: []byte("v")})
	want := plain(append(bodyOf(t, r), later...), storageKey)
	if got := c.Append(nil, changed, storageKey); !bytes.Equal(got, want) {
		t.Errorf("changed: got\n%x, want\n%x", got, want)
	}
}

package holdfast

import (
	"strings"
	"testing"
	"time"
)

// A codecCase turns one value into bytes and back, over and over.
type codecCase struct {
	name           string
	append, decode func(tb testing.TB) (work func())
	allocated      float64 // by a decode; an append into room allocates nothing
}

func codecCases() []codecCase {
	return []codecCase{
		codecCaseOf("string", strings.Repeat("s", 100), 1),
		codecCaseOf("bytes", []byte(strings.Repeat("b", 100)), 1),
		codecCaseOf("int", -123456, 0),
		codecCaseOf("uint", uint(123456), 0),
		codecCaseOf("float", 3.25, 0),
		codecCaseOf("bool", true, 0),
		codecCaseOf("time", time.Date(2026, 7, 1, 12, 30, 0, 500, time.UTC), 0),
	}
}

func codecCaseOf[T any](name string, v T, allocated float64) codecCase {
	c := codecFor[T]()
	return codecCase{
		name: name, allocated: allocated,
		append: func(tb testing.TB) func() {
			room := make([]byte, 0, 256)
			return func() {
				if _, err := c.Append(room, v); err != nil {
					tb.Fatal(err)
				}
			}
		},
		decode: func(tb testing.TB) func() {
			b, err := c.Append(nil, v)
			if err != nil {
				tb.Fatal(err)
			}
			return func() {
				if _, err := c.Decode(b); err != nil {
					tb.Fatal(err)
				}
			}
		},
	}
}

func BenchmarkCodec(b *testing.B) {
	type visit struct{ Page, Referrer string }
	for _, c := range append(codecCases(), codecCaseOf("json", visit{"/cart", "/"}, 0)) {
		benchWork(b, c.name+"/append", c.append(b))
		benchWork(b, c.name+"/decode", c.decode(b))
	}
}

func benchWork(b *testing.B, name string, work func()) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			work()
		}
	})
}

func TestCodecsOfSimpleTypesAllocateWhatTheyReturn(t *testing.T) {
	for _, c := range codecCases() {
		if got := testing.AllocsPerRun(100, c.append(t)); got > 0 {
			t.Errorf("%s: an append into room has %v allocations, want none", c.name, got)
		}
		if got := testing.AllocsPerRun(100, c.decode(t)); got > c.allocated {
			t.Errorf("%s: a decode has %v allocations, want at most %v", c.name, got, c.allocated)
		}
	}
}

package record_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/holdfast-sessions/holdfast/record"
)

func addBodies(f *testing.F) {
	f.Add([]byte{})
	f.Add(bodyOf(f, sample()))
	f.Add(append(bodyOf(f, sample()), "later"...))
	for seed := range uint64(12) {
		f.Add(bodyOf(f, random(rand.New(rand.NewPCG(seed, 3)))))
	}
}

// FuzzParse puts a good checksum to the bytes, so that they reach the body's
// parser. What it takes must survive being written and read again.
func FuzzParse(f *testing.F) {
	addBodies(f)
	c := newCodec(f, false)
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := c.Parse(body, storageKey); err != nil && !errors.Is(err, record.ErrUnreadable) {
			t.Fatalf("raw: got %v, want ErrUnreadable", err)
		}
		r, err := c.Parse(plain(body, storageKey), storageKey)
		if err != nil {
			if !errors.Is(err, record.ErrUnreadable) {
				t.Fatalf("got %v, want ErrUnreadable", err)
			}
			return
		}
		b := c.Append(nil, r, storageKey)
		again := parse(t, c, b)
		if d := difference(again, r); d != "" {
			t.Fatal(d)
		}
		if got := c.Append(nil, again, storageKey); !bytes.Equal(got, b) {
			t.Fatalf("written twice: got\n%x, want\n%x", got, b)
		}
	})
}

// FuzzParseSealed compares the two forms of the same body, then damages the
// sealed one.
func FuzzParseSealed(f *testing.F) {
	bodies := [][]byte{{}, bodyOf(f, sample()), append(bodyOf(f, sample()), "later"...)}
	for i, body := range bodies {
		f.Add(body, uint16(i*40), byte(i+1))
	}
	open, ring := newCodec(f, false), newCodec(f, true, key(7), key(8))
	f.Fuzz(func(t *testing.T, body []byte, at uint16, mask byte) {
		b := ring.AppendSealedBody(nil, [24]byte{byte(at), mask}, body, storageKey)
		want, wantErr := open.Parse(plain(body, storageKey), storageKey)
		got, err := ring.Parse(b, storageKey)
		if (err == nil) != (wantErr == nil) || err != nil && !errors.Is(err, record.ErrUnreadable) {
			t.Fatalf("got error %v, plain has %v", err, wantErr)
		}
		if err == nil {
			if d := difference(got, want); d != "" {
				t.Fatal(d)
			}
		}
		wantUnreadable(t, ring, b[:int(at)%len(b)], storageKey, "cut short")
		if mask != 0 {
			b[int(at)%len(b)] ^= mask
			wantUnreadable(t, ring, b, storageKey, "changed")
		}
		wantUnreadable(t, ring, body, storageKey, "raw")
	})
}

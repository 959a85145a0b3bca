package record_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-sessions/holdfast/record"
)

// TestKeyRing goes through a rotation: every row is a program with its ring and
// whether it reads what other programs wrote.
func TestKeyRing(t *testing.T) {
	written := map[string][]byte{
		"plain": newCodec(t, false).Append(nil, sample(), storageKey),
		"old":   newCodec(t, false, key(1)).Append(nil, sample(), storageKey),
		"new":   newCodec(t, false, key(2), key(1)).Append(nil, sample(), storageKey),
	}
	programs := []struct {
		name  string
		codec *record.Codec
		reads string
		// of these, what should be stored again
		outdated string
	}{
		{"without keys", newCodec(t, false), "plain", ""},
		{"encryption is introduced", newCodec(t, true, key(1)), "plain old", "plain"},
		{"encryption is introduced and rotated", newCodec(t, true, key(2), key(1)), "plain old new", "plain old"},
		{"old key only", newCodec(t, false, key(1)), "old", ""},
		{"new key is known and not used yet", newCodec(t, false, key(1), key(2)), "old new", "new"},
		{"new key first", newCodec(t, false, key(2), key(1)), "old new", "old"},
		{"old key removed", newCodec(t, false, key(2)), "new", ""},
		{"all keys replaced", newCodec(t, false, key(3)), "", ""},
	}
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			for name, b := range written {
				if !strings.Contains(p.reads, name) {
					wantUnreadable(t, p.codec, b, storageKey, name)
					continue
				}
				want := sample()
				want.Outdated = strings.Contains(p.outdated, name)
				if d := difference(parse(t, p.codec, b), want); d != "" {
					t.Errorf("%s: %s", name, d)
				}
			}
		})
	}
}

// TestErrorsTellTheCausesApart: an operator must see whether a key is missing
// or a record is damaged.
func TestErrorsTellTheCausesApart(t *testing.T) {
	ring := newCodec(t, false, key(1))
	sealed := ring.Append(nil, sample(), storageKey)
	damaged := bytes.Clone(sealed)
	damaged[40] ^= 1
	cases := []struct {
		name  string
		bytes []byte
		codec *record.Codec
		want  string
	}{
		{"key removed", sealed, newCodec(t, false, key(2)), "not in the ring"},
		{"no keys", sealed, newCodec(t, false), "not in the ring"},
		{"damaged", damaged, ring, "changed"},
		{"plain", newCodec(t, false).Append(nil, sample(), storageKey), ring, "allow plain records"},
	}
	for _, c := range cases {
		if _, err := c.codec.Parse(c.bytes, storageKey); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
	}
}

func TestKeysMustHave32Bytes(t *testing.T) {
	for _, size := range []int{0, 1, 16, 24, 31, 33, 64} {
		secret := bytes.Repeat([]byte("S"), size)
		c, err := record.NewCodec([][]byte{key(1), secret}, false)
		if c != nil || err == nil {
			t.Errorf("key of %d bytes: got %v, %v, want an error", size, c, err)
			continue
		}
		if !strings.Contains(err.Error(), "key 2 of the ring") || strings.Contains(err.Error(), "SS") {
			t.Errorf("key of %d bytes: got %q, want it to name key 2 and not show it", size, err)
		}
	}
}

// TestKeysWithTheSameIDBothDecrypt: these two keys have the same 4-byte id,
// 073b88e6, which happens by chance to one pair of 2³² keys.
func TestKeysWithTheSameIDBothDecrypt(t *testing.T) {
	first, second := numberedKey(0x7399), numberedKey(0x7f23)
	one, other := newCodec(t, false, first), newCodec(t, false, second)
	ring := newCodec(t, false, first, second)
	for name, c := range map[string]*record.Codec{"first": one, "second": other} {
		b := c.Append(nil, sample(), storageKey)
		want := sample()
		want.Outdated = name == "second"
		if d := difference(parse(t, ring, b), want); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	b := other.Append(nil, sample(), storageKey)
	if got, want := b[4:8], one.Append(nil, sample(), storageKey)[4:8]; !bytes.Equal(got, want) {
		t.Errorf("key ids %x and %x differ, so this test proves nothing", got, want)
	}
	wantUnreadable(t, one, b, storageKey, "sealed with the other")
}

// numberedKey is a key of zeros that ends in n.
func numberedKey(n uint32) []byte { return binary.BigEndian.AppendUint32(make([]byte, 28), n) }

func TestSealedRecordsHideTheirContent(t *testing.T) {
	c := newCodec(t, false, key(7))
	first, second := c.Append(nil, sample(), storageKey), c.Append(nil, sample(), storageKey)
	for _, text := range []string{"cart", "zoë", "n1n2", "shop", storageKey[:8]} {
		if bytes.Contains(first, []byte(text)) {
			t.Errorf("%q can be read in the sealed record", text)
		}
	}
	if bytes.Equal(first[8:32], second[8:32]) {
		t.Error("two records have the same nonce")
	}
}

func TestCodecIsSafeForConcurrentUse(t *testing.T) {
	c := newCodec(t, true, key(7), key(8))
	shared := sample()
	b := c.Append(nil, shared, storageKey)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				r, err := c.Parse(b, storageKey)
				if err != nil {
					t.Error(err)
					return
				}
				r.Set(record.Attribute{Name: "mine"})
				if _, err := c.Parse(c.Append(nil, shared.Clone(), storageKey), storageKey); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

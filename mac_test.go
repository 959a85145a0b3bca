package holdfast

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"os"
	"strings"
	"sync"
	"testing"
)

func newTestMACs(t testing.TB, allowMissing bool, keys ...[]byte) *macs {
	t.Helper()
	m, err := newMACs(keys, allowMissing)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func ringKey(fill byte) []byte { return bytes.Repeat([]byte{fill}, 32) }

// TestMACOfTheWireDocument works the example of docs/wire.md out by its words.
func TestMACOfTheWireDocument(t *testing.T) {
	doc, err := os.ReadFile("docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	macKey, err := hkdf.Key(sha256.New, key, nil, "holdfast cookie mac key v1", 32)
	if err != nil {
		t.Fatal(err)
	}
	const id = "EXAMPLEEXAMPLEEXAMPLE23456"
	h := hmac.New(sha256.New, macKey)
	h.Write([]byte(id))
	sum := h.Sum(nil)[:10]
	cookie := id + "~" + base32.StdEncoding.EncodeToString(sum) + "-n1.app1"
	for _, text := range []string{hex.EncodeToString(key), hex.EncodeToString(macKey), id, hex.EncodeToString(sum), cookie} {
		if !strings.Contains(string(doc), "| `"+text+"` |") {
			t.Errorf("docs/wire.md lacks %s", text)
		}
	}
	tok := token{id: id, mac: newTestMACs(t, false, key).sign(id), node: "n1", route: "app1"}
	if got := tok.value(); got != cookie {
		t.Errorf("got %q, want %q", got, cookie)
	}
}

func TestVerify(t *testing.T) {
	one, two := ringKey(1), ringKey(2)
	first, second, other := newTestMACs(t, false, one).sign(someID), newTestMACs(t, false, two).sign(someID), newTestMACs(t, false, one).sign(otherID)
	rings := map[string]*macs{
		"no keys": newTestMACs(t, false), "one": newTestMACs(t, false, one), "two, one": newTestMACs(t, false, two, one),
		"two": newTestMACs(t, false, two), "two, plain": newTestMACs(t, true, two),
	}
	for _, c := range []struct {
		name, mac string
		ring      string
		genuine   bool
		outdated  bool
	}{
		{"the key's", first, "one", true, false},
		{"the second key's", first, "two, one", true, true},
		{"the first of two keys'", second, "two, one", true, false},
		{"another key's", first, "two", false, false},
		{"another key's, plain allowed", first, "two, plain", false, false},
		{"the key's, plain allowed", second, "two, plain", true, false},
		{"missing", "", "one", false, false},
		{"missing, plain allowed", "", "two, plain", true, true},
		{"missing, no keys", "", "no keys", true, false},
		{"any, no keys", first, "no keys", true, false},
		{"nonsense, no keys", "MAC", "no keys", true, false},
		{"another id's", other, "one", false, false},
		{"too short", first[:15], "one", false, false},
		{"too long", first + "A", "one", false, false},
		{"too short, plain allowed", second[:15], "two, plain", false, false},
		{"in lowercase", strings.ToLower(first), "one", false, false},
		{"16 other bytes", strings.Repeat("\x00", 16), "one", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ring := rings[c.ring]
			before := ring.forged.Load()
			genuine, outdated := ring.verify(token{id: someID, mac: c.mac})
			if genuine != c.genuine || outdated != c.outdated {
				t.Errorf("got genuine %v, outdated %v; want %v, %v", genuine, outdated, c.genuine, c.outdated)
			}
			if counted := ring.forged.Load() > before; counted == genuine {
				t.Errorf("counted as forged: %v, genuine: %v", counted, genuine)
			}
		})
	}
}

func TestEveryChangedCharacterOfAMACIsRefused(t *testing.T) {
	m := newTestMACs(t, false, ringKey(1))
	mac := m.sign(someID)
	for i := range mac {
		for c := range 256 {
			changed := mac[:i] + string([]byte{byte(c)}) + mac[i+1:]
			if genuine, _ := m.verify(token{id: someID, mac: changed}); genuine != (changed == mac) {
				t.Fatalf("character %d as %#x: genuine %v", i, c, genuine)
			}
		}
	}
}

func TestTheMACCoversTheIDAlone(t *testing.T) {
	m := newTestMACs(t, false, ringKey(1))
	mac := m.sign(someID)
	for _, value := range []string{"", "-n1", "-n2.app1", ".app2", "-n1!balancer"} {
		tok, _ := parseToken(someID + "~" + mac + value)
		if genuine, outdated := m.verify(tok); !genuine || outdated {
			t.Errorf("with %q behind it: genuine %v, outdated %v; want genuine", value, genuine, outdated)
		}
	}
}

func TestMACsOfParallelRequests(t *testing.T) {
	m := newTestMACs(t, false, ringKey(2), ringKey(1))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				id := newID()
				if genuine, _ := m.verify(token{id: id, mac: m.sign(id)}); !genuine {
					t.Error("a MAC that was just made is refused")
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkVerify(b *testing.B) {
	m := newTestMACs(b, false, ringKey(1))
	tok := token{id: someID, mac: m.sign(someID)}
	b.ReportAllocs()
	for b.Loop() {
		m.verify(tok)
	}
}

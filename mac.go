package holdfast

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"hash"
	"sync"
	"sync/atomic"
)

// macs makes and checks the MACs of ids, so that an invented id costs no
// look-up. They cover nothing but the id: the hints behind it change. Without
// keys there are none, and every token is genuine.
type macs struct {
	ring         []*macKey     // the first signs, all verify
	allowMissing bool          // while keys are introduced
	forged       atomic.Uint64 // tokens that were refused
}

func newMACs(keys [][]byte, allowMissing bool) (*macs, error) {
	m := &macs{allowMissing: allowMissing}
	for i, key := range keys {
		k, err := newMACKey(key)
		if err != nil {
			return nil, fmt.Errorf("key %d of the ring: %w", i+1, err)
		}
		m.ring = append(m.ring, k)
	}
	return m, nil
}

// sign returns the MAC of id, "" without keys.
func (m *macs) sign(id ID) string {
	if len(m.ring) == 0 {
		return ""
	}
	return m.ring[0].sign(id)
}

// verify reports whether t is genuine, and whether its MAC is not the one that
// sign makes: the browser has to get that one before the former key goes.
func (m *macs) verify(t token) (genuine, outdated bool) {
	if len(m.ring) == 0 {
		return true, false
	}
	if t.mac == "" && m.allowMissing {
		return true, true
	}
	for i, k := range m.ring {
		if k.signed(t) {
			return true, i > 0
		}
	}
	m.forged.Add(1)
	return false, false
}

const (
	macKeyLabel = "holdfast cookie mac key v1"
	macBytes    = 10 // 80 bits
	macSize     = 16 // characters of base32, without padding
)

// A macKey is one key of the ring, as a key for MACs.
type macKey struct{ hashes sync.Pool }

func newMACKey(key []byte) (*macKey, error) {
	sub, err := hkdf.Key(sha256.New, key, nil, macKeyLabel, sha256.Size)
	if err != nil {
		return nil, err
	}
	k := &macKey{}
	k.hashes.New = func() any { return &macHash{Hash: hmac.New(sha256.New, sub)} }
	return k, nil
}

// A macHash has worked on its key already; that is half of a short MAC's cost.
type macHash struct {
	hash.Hash
	id  [idSize]byte
	sum [sha256.Size]byte
	mac [macSize]byte
}

func (k *macKey) sign(id ID) string {
	h := k.hashes.Get().(*macHash)
	defer k.hashes.Put(h)
	return string(h.of(id))
}

// signed takes the same time wherever a wrong MAC begins to differ.
func (k *macKey) signed(t token) bool {
	if len(t.mac) != macSize {
		return false
	}
	h := k.hashes.Get().(*macHash)
	defer k.hashes.Put(h)
	return hmac.Equal(h.of(t.id), []byte(t.mac))
}

// of returns the MAC of id; it is overwritten by the next one.
func (h *macHash) of(id ID) []byte {
	h.Reset()
	h.Write(append(h.id[:0], id...))
	base32.StdEncoding.Encode(h.mac[:], h.Sum(h.sum[:0])[:macBytes])
	return h.mac[:]
}

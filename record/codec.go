package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// ErrUnreadable means bytes that are not a record this program understands: a
// later format, a key that is not in the ring, or damage. They are kept.
var ErrUnreadable = errors.New("unreadable record")

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnreadable, fmt.Sprintf(format, args...))
}

// The first four bytes of every record: magic, format version, form.
const (
	magic0, magic1 = 'H', 'F'
	formatVersion  = 1
	formPlain      = 0
	formSealed     = 1
	headerSize     = 4
	checksumSize   = 4
)

// A Codec turns records into bytes and back. It is safe for concurrent use.
type Codec struct {
	ring       []*sealer
	allowPlain bool
	shared     *shared
}

// NewCodec returns the codec for a key ring of 32-byte keys: the first
// encrypts, all decrypt. Without keys records are plain, with a checksum. With
// keys plain records are unreadable, since anybody who can write to a cache
// node could make them; allowPlain accepts them, for the time in which
// encryption is introduced.
func NewCodec(keys [][]byte, allowPlain bool) (*Codec, error) {
	c := &Codec{allowPlain: allowPlain || len(keys) == 0, shared: newShared()}
	for i, key := range keys {
		s, err := newSealer(key)
		if err != nil {
			return nil, fmt.Errorf("key %d of the ring: %w", i+1, err)
		}
		c.ring = append(c.ring, s)
	}
	return c, nil
}

// Append appends the bytes of r to dst. storageKey is the key under which they
// will be stored; the bytes are unreadable under any other.
func (c *Codec) Append(dst []byte, r *Record, storageKey string) []byte {
	start := len(dst)
	dst = slices.Grow(dst, r.sizeBound())
	if len(c.ring) > 0 {
		s := c.ring[0]
		return s.seal(r.appendBody(s.appendHead(dst, newNonce())), start, storageKey)
	}
	dst = append(dst, magic0, magic1, formatVersion, formPlain)
	dst = r.appendBody(dst)
	return binary.LittleEndian.AppendUint32(dst, checksum(storageKey, dst[start:]))
}

// Parse reads what Append wrote. The record keeps b, which must not be changed
// afterwards. Every error is an ErrUnreadable.
func (c *Codec) Parse(b []byte, storageKey string) (*Record, error) {
	if len(b) < headerSize || b[0] != magic0 || b[1] != magic1 {
		return nil, unreadable("it does not begin as a Holdfast record does")
	}
	if b[2] != formatVersion {
		return nil, unreadable("format version %d, this program reads version %d", b[2], formatVersion)
	}
	switch b[3] {
	case formPlain:
		return c.parsePlain(b, storageKey)
	case formSealed:
		return c.parseSealed(b, storageKey)
	}
	return nil, unreadable("unknown form %d", b[3])
}

func (c *Codec) parsePlain(b []byte, storageKey string) (*Record, error) {
	if !c.allowPlain {
		return nil, unreadable("it is not encrypted, and this program has a key ring; allow plain records while encryption is introduced")
	}
	if len(b) < headerSize+checksumSize {
		return nil, unreadable("%d bytes are too few", len(b))
	}
	end := len(b) - checksumSize
	if binary.LittleEndian.Uint32(b[end:]) != checksum(storageKey, b[:end]) {
		return nil, unreadable("wrong checksum")
	}
	return c.parseBody(b[headerSize:end], len(c.ring) > 0)
}

func (c *Codec) parseSealed(b []byte, storageKey string) (*Record, error) {
	var failed error
	for i, s := range c.ring {
		if !s.made(b) {
			continue
		}
		body, err := s.open(b, storageKey)
		if err == nil {
			return c.parseBody(body, i > 0)
		}
		failed = err // two keys of a ring may have the same id by chance: go on
	}
	if failed == nil {
		failed = unreadable("it is encrypted with a key that is not in the ring")
	}
	return nil, failed
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum covers the storage key too, so that an item that was copied under
// another key is not taken for that session.
func checksum(storageKey string, b []byte) uint32 {
	return crc32.Update(checksumOfKey(storageKey), castagnoli, b)
}

// checksumOfKey goes byte by byte: crc32.Update would need the string as bytes
// on the heap.
func checksumOfKey(storageKey string) uint32 {
	sum := ^uint32(0)
	for i := range len(storageKey) {
		sum = castagnoli[byte(sum)^storageKey[i]] ^ sum>>8
	}
	return ^sum
}

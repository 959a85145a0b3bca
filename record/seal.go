package record

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
)

const (
	// KeySize is the size of the keys of a ring, in bytes.
	KeySize = 32

	keyIDSize    = 4
	nonceSize    = 24
	derivingSize = 12 // the part of the nonce that goes into the key
	tagSize      = 16

	clearSize      = headerSize + keyIDSize // what stands before the nonce
	sealedHeadSize = clearSize + nonceSize
)

// A sealer encrypts and authenticates with one key of the ring, as
// XAES-256-GCM (C2SP, xaes-256-gcm.md): AES-256-GCM under a key that is
// derived for each nonce, so that random nonces never run out; plain
// AES-256-GCM would allow 2³² records for a key, which a busy cluster writes
// in days.
type sealer struct {
	id    [keyIDSize]byte // tells the reader which key of its ring to take
	block cipher.Block
	k1    [aes.BlockSize]byte // the CMAC subkey of the key
}

func newSealer(key []byte) (*sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("it has %d bytes, take %d random ones", len(key), KeySize)
	}
	// One purpose, one key: the ring signs cookies, too.
	sub, err := hkdf.Key(sha256.New, key, nil, "holdfast record key v1", KeySize)
	if err != nil {
		return nil, err
	}
	id, err := hkdf.Key(sha256.New, key, nil, "holdfast record key id v1", keyIDSize)
	if err != nil {
		return nil, err
	}
	s, err := newXAES(sub)
	if err != nil {
		return nil, err
	}
	copy(s.id[:], id)
	return s, nil
}

func newXAES(key []byte) (*sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	s := &sealer{block: block}
	block.Encrypt(s.k1[:], s.k1[:])
	var msb byte
	for i := len(s.k1) - 1; i >= 0; i-- {
		msb, s.k1[i] = s.k1[i]>>7, s.k1[i]<<1|msb
	}
	s.k1[len(s.k1)-1] ^= msb * 0x87
	return s, nil
}

// gcm returns AES-256-GCM under the key for the first half of a nonce; the
// second half is its own nonce.
func (s *sealer) gcm(nonce []byte) cipher.AEAD {
	var key [2 * aes.BlockSize]byte
	for i := range 2 {
		m := key[i*aes.BlockSize : (i+1)*aes.BlockSize]
		copy(m, []byte{0, byte(i + 1), 'X', 0})
		copy(m[4:], nonce[:derivingSize])
		for j := range m {
			m[j] ^= s.k1[j]
		}
		s.block.Encrypt(m, m)
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the length is right
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the right block size
	}
	return aead
}

func newNonce() (nonce [nonceSize]byte) {
	rand.Read(nonce[:]) // never fails
	return nonce
}

// appendHead appends what stands before the body: header, key id, nonce. A
// nonce must never be used twice.
func (s *sealer) appendHead(dst []byte, nonce [nonceSize]byte) []byte {
	dst = append(dst, magic0, magic1, formatVersion, formSealed)
	dst = append(dst, s.id[:]...)
	return append(dst, nonce[:]...)
}

// seal encrypts, in place, the body of the record that begins at b[start], and
// appends the tag.
func (s *sealer) seal(b []byte, start int, storageKey string) []byte {
	head, body := b[start:start+sealedHeadSize], b[start+sealedHeadSize:]
	nonce := head[clearSize:]
	additional := additionalData(head, storageKey)
	return s.gcm(nonce).Seal(b[:start+sealedHeadSize], nonce[derivingSize:], body, additional)
}

// made reports whether the sealed record b names this key.
func (s *sealer) made(b []byte) bool {
	return len(b) >= clearSize && bytes.Equal(b[headerSize:clearSize], s.id[:])
}

func (s *sealer) open(b []byte, storageKey string) ([]byte, error) {
	if len(b) < sealedHeadSize+tagSize {
		return nil, unreadable("%d bytes are too few", len(b))
	}
	head, sealed := b[:sealedHeadSize], b[sealedHeadSize:]
	nonce := head[clearSize:]
	body, err := s.gcm(nonce).Open(nil, nonce[derivingSize:], sealed, additionalData(head, storageKey))
	if err != nil {
		return nil, unreadable("it was changed, or belongs to another session")
	}
	return body, nil
}

// additionalData is what the tag covers beside body and nonce: header, key id
// and the storage key, so that items cannot be swapped.
func additionalData(head []byte, storageKey string) []byte {
	return append(append(make([]byte, 0, clearSize+len(storageKey)), head[:clearSize]...), storageKey...)
}

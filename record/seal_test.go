package record

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// The vectors of https://c2sp.org/XAES-256-GCM. The subkey of the
// second key needs the reduction of the doubling, that of the first does not.
func TestXAESMatchesThePublishedVectors(t *testing.T) {
	const nonce, plaintext = "ABCDEFGHIJKLMNOPQRSTUVWX", "XAES-256-GCM"
	cases := []struct {
		name            string
		keyByte         byte
		additional, out string
	}{
		{"without additional data", 1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{"with additional data", 3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := newXAES(bytes.Repeat([]byte{c.keyByte}, KeySize))
			if err != nil {
				t.Fatal(err)
			}
			got := s.gcm([]byte(nonce)).Seal(nil, []byte(nonce[12:]), []byte(plaintext), []byte(c.additional))
			if hex.EncodeToString(got) != c.out {
				t.Errorf("got %x, want %s", got, c.out)
			}
		})
	}
}

func TestKeyOfTheRingIsNotUsedItself(t *testing.T) {
	key := bytes.Repeat([]byte{1}, KeySize)
	ring, err := newSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := newXAES(key)
	if err != nil {
		t.Fatal(err)
	}
	if ring.k1 == raw.k1 {
		t.Error("got the ring's own key, want one derived from it")
	}
}

package record_test

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/holdfast-sessions/holdfast/record"
)

// makeVectors completes the vectors of vectorInputs with what follows from them.
func makeVectors(t *testing.T) vectors {
	all := vectors{Records: vectorInputs()}
	for i := range all.Records {
		v := &all.Records[i]
		v.StorageKey = hashedKey(v.Namespace, v.ID)
		v.ClientFlags = clientFlags(v.Record.record(t))
		if s := v.Sealed; s != nil {
			s.RecordKey = derived(t, s.Ring[0], "holdfast record key v1", 32)
			s.KeyID = derived(t, s.Ring[0], "holdfast record key id v1", 4)
			s.Body = append(bodyOf(t, v.Record.record(t)), v.Record.Trailing...)
		}
		v.Bytes = v.encode(t)
	}
	all.Unreadable = makeRefusals(all.Records)
	return all
}

func ringCodec(t *testing.T, ring []hexBytes) *record.Codec {
	var keys [][]byte
	for _, k := range ring {
		keys = append(keys, k)
	}
	return newCodec(t, false, keys...)
}

func (v vector) codec(t *testing.T) *record.Codec {
	if v.Sealed == nil {
		return newCodec(t, false)
	}
	return ringCodec(t, v.Sealed.Ring)
}

// encode makes the bytes from the fields.
func (v vector) encode(t *testing.T) []byte {
	body := append(bodyOf(t, v.Record.record(t)), v.Record.Trailing...)
	if v.Sealed == nil {
		return plain(body, v.StorageKey)
	}
	return v.codec(t).AppendSealedBody(nil, [24]byte(v.Sealed.Nonce), body, v.StorageKey)
}

func hashedKey(namespace, id string) string {
	sum := sha256.Sum256([]byte(namespace + "\x00" + id))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func clientFlags(r *record.Record) uint32 {
	return uint32(r.Kind)<<30 | r.Epoch&(1<<7-1)<<23 | uint32(r.Revision&(1<<23-1))
}

func derived(t *testing.T, key []byte, label string, size int) []byte {
	t.Helper()
	b, err := hkdf.Key(sha256.New, key, nil, label, size)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

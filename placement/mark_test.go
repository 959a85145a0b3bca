package placement

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/holdfast-sessions/holdfast/record"
)

// vector is what this package decides of a vector in docs/wire.md.
type vector struct {
	Name        string `json:"name"`
	Namespace   string `json:"namespace"`
	ID          string `json:"id"`
	StorageKey  string `json:"storage_key"`
	ClientFlags uint32 `json:"client_flags"`
	Sealed      *struct {
		Ring []string `json:"ring"`
	} `json:"sealed"`
	Bytes string `json:"bytes"`
}

func TestStorageKeysAndFlagsAreThoseOfTheTestVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		if got := StorageKey(v.Namespace, v.ID); got != v.StorageKey {
			t.Errorf("%s: storage key %s, want %s", v.Name, got, v.StorageKey)
		}
		m := markOf(v.parse(t))
		if uint32(m) != v.ClientFlags {
			t.Errorf("%s: client flags %#x, want %#x", v.Name, uint32(m), v.ClientFlags)
		}
	}
}

func TestMarkKeepsTheKindWhateverTheCountersAre(t *testing.T) {
	for _, kind := range []record.Kind{record.Session, record.Tombstone, record.Alias} {
		m := markOf(&record.Record{Kind: kind, Epoch: 1<<32 - 1, Revision: 1<<64 - 1})
		if m.kind() != kind {
			t.Errorf("kind %d reads as %d", kind, m.kind())
		}
	}
}

func TestMarkCountsAround(t *testing.T) {
	small := markOf(&record.Record{Epoch: 3, Revision: 5})
	large := markOf(&record.Record{Epoch: 3 + 1<<epochBits, Revision: 5 + 1<<revisionBits})
	if small != large || small != 3<<revisionBits|5 {
		t.Errorf("got marks %#x and %#x, want both %#x", small, large, 3<<revisionBits|5)
	}
}

func readVectors(t *testing.T) []vector {
	t.Helper()
	b, err := os.ReadFile("../record/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Records []vector `json:"records"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Records) == 0 {
		t.Fatal("no vectors")
	}
	return file.Records
}

func (v *vector) parse(t *testing.T) *record.Record {
	t.Helper()
	var ring [][]byte
	if v.Sealed != nil {
		for _, key := range v.Sealed.Ring {
			ring = append(ring, unhex(t, key))
		}
	}
	codec, err := record.NewCodec(ring, false)
	if err != nil {
		t.Fatal(err)
	}
	r, err := codec.Parse(unhex(t, v.Bytes), v.StorageKey)
	if err != nil {
		t.Fatalf("%s: %v", v.Name, err)
	}
	return r
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

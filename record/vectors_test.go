package record_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"

	"github.com/holdfast-sessions/holdfast/record"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew; the format is fixed, so only vectors may be added")

// TestVectorFileIsComplete finds a vector that is in the code and not in the
// file, and writes the file with -update.
func TestVectorFileIsComplete(t *testing.T) {
	want, err := json.MarshalIndent(makeVectors(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(vectorFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the code makes; if a vector was added, run: go test ./record -update", vectorFile)
	}
}

func TestVectorsAreRead(t *testing.T) {
	for _, v := range readVectors(t).Records {
		t.Run(v.Name, func(t *testing.T) {
			r, err := v.codec(t).Parse(v.Bytes, v.StorageKey)
			if err != nil {
				t.Fatal(err)
			}
			if d := difference(r, v.Record.record(t)); d != "" {
				t.Error(d)
			}
			again := newCodec(t, false).Append(nil, r, v.StorageKey)
			want := plain(append(bodyOf(t, v.Record.record(t)), v.Record.Trailing...), v.StorageKey)
			if !bytes.Equal(again, want) {
				t.Errorf("written again: got\n%x, want\n%x", again, want)
			}
		})
	}
}

func TestVectorsAreWritten(t *testing.T) {
	for _, v := range readVectors(t).Records {
		t.Run(v.Name, func(t *testing.T) {
			if got := v.encode(t); !bytes.Equal(got, v.Bytes) {
				t.Errorf("got\n%x, want\n%x", got, v.Bytes)
			}
			if v.Sealed != nil || v.Record.Trailing != nil {
				return
			}
			if got := v.codec(t).Append(nil, v.Record.record(t), v.StorageKey); !bytes.Equal(got, v.Bytes) {
				t.Errorf("Append: got\n%x, want\n%x", got, v.Bytes)
			}
		})
	}
}

// TestVectorsHoldWhatSurroundsTheRecord checks what docs/wire.md says beside
// the bytes: storage key, client flags, derived keys.
func TestVectorsHoldWhatSurroundsTheRecord(t *testing.T) {
	for _, v := range readVectors(t).Records {
		t.Run(v.Name, func(t *testing.T) {
			if got := hashedKey(v.Namespace, v.ID); got != v.StorageKey || len(got) != 43 {
				t.Errorf("storage key: got %q, want %q", v.StorageKey, got)
			}
			if got := clientFlags(v.Record.record(t)); got != v.ClientFlags {
				t.Errorf("client flags: got %#x, want %#x", v.ClientFlags, got)
			}
			if s := v.Sealed; s != nil {
				if got := derived(t, s.Ring[0], "holdfast record key v1", 32); !bytes.Equal(got, s.RecordKey) {
					t.Errorf("record key: got %x, want %x", s.RecordKey, got)
				}
				if got := derived(t, s.Ring[0], "holdfast record key id v1", 4); !bytes.Equal(got, s.KeyID) {
					t.Errorf("key id: got %x, want %x", s.KeyID, got)
				}
			}
		})
	}
}

func TestRefusedVectorsAreUnreadable(t *testing.T) {
	for _, v := range readVectors(t).Unreadable {
		_, err := ringCodec(t, v.Ring).Parse(v.Bytes, v.StorageKey)
		if !errors.Is(err, record.ErrUnreadable) {
			t.Errorf("%s: got %v, want ErrUnreadable", v.Why, err)
		}
	}
}

package record_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
)

const vectorFile = "testdata/vectors.json"

// vectors is testdata/vectors.json. docs/wire.md explains it.
type vectors struct {
	Records    []vector  `json:"records"`
	Unreadable []refusal `json:"unreadable"`
}

type vector struct {
	Name        string   `json:"name"`
	Namespace   string   `json:"namespace"`
	ID          string   `json:"id"`
	StorageKey  string   `json:"storage_key"`
	ClientFlags uint32   `json:"client_flags"`
	Sealed      *sealing `json:"sealed,omitempty"`
	Record      fields   `json:"record"`
	Bytes       hexBytes `json:"bytes"`
}

type sealing struct {
	Ring      []hexBytes `json:"ring"` // the first encrypts
	RecordKey hexBytes   `json:"record_key"`
	KeyID     hexBytes   `json:"key_id"`
	Nonce     hexBytes   `json:"nonce"`
	Body      hexBytes   `json:"body"` // before it was encrypted
}

// A refusal is bytes that must not be taken for a record.
type refusal struct {
	Why        string     `json:"why"`
	StorageKey string     `json:"storage_key"`
	Ring       []hexBytes `json:"ring,omitempty"`
	Bytes      hexBytes   `json:"bytes"`
}

// fields is a record as JSON: times and durations in milliseconds, 64-bit
// numbers as decimal text, what is zero left out.
type fields struct {
	Kind         string      `json:"kind"`
	Persistent   bool        `json:"persistent,omitempty"`
	OwnerChanged bool        `json:"owner_changed,omitempty"`
	Epoch        uint32      `json:"epoch"`
	Revision     uint64      `json:"revision,string"`
	Members      []string    `json:"members,omitempty"`
	Leaving      []string    `json:"leaving,omitempty"`
	Commits      []string    `json:"commits,omitempty"`
	Created      int64       `json:"created,omitempty"`
	LastAccessed int64       `json:"last_accessed,omitempty"`
	IdleTimeout  int64       `json:"idle_timeout,omitempty"`
	Deadline     int64       `json:"deadline,omitempty"`
	TTL          int64       `json:"ttl,omitempty"`
	Owner        string      `json:"owner,omitempty"`
	Login        uint32      `json:"login,omitempty"`
	AppVersion   string      `json:"app_version,omitempty"`
	Target       string      `json:"target,omitempty"`
	Until        int64       `json:"until,omitempty"`
	Reason       string      `json:"reason,omitempty"`
	Attributes   []attribute `json:"attributes,omitempty"`
	Trailing     hexBytes    `json:"trailing,omitempty"`
}

type attribute struct {
	Name  string   `json:"name"`
	Codec byte     `json:"codec"`
	Value hexBytes `json:"value"`
}

type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.AppendDecode(nil, text)
	return err
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	text, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

var kinds = []string{record.Session: "session", record.Tombstone: "tombstone", record.Alias: "alias"}

func (f fields) record(t *testing.T) *record.Record {
	r := &record.Record{
		Kind: record.Kind(slices.Index(kinds, f.Kind)), Persistent: f.Persistent, OwnerChanged: f.OwnerChanged,
		Epoch: f.Epoch, Revision: f.Revision, Members: f.Members, Leaving: f.Leaving,
		Created: fromMillis(f.Created), LastAccessed: fromMillis(f.LastAccessed), Deadline: fromMillis(f.Deadline),
		IdleTimeout: time.Duration(f.IdleTimeout) * time.Millisecond, TTL: time.Duration(f.TTL) * time.Millisecond,
		Owner: f.Owner, Login: f.Login, AppVersion: f.AppVersion,
		Target: f.Target, Until: fromMillis(f.Until),
	}
	for reason := record.Logout; f.Reason != "" && r.Reason.String() != f.Reason; reason++ {
		r.Reason = reason
	}
	for _, id := range f.Commits {
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCommit(n)
	}
	for _, a := range f.Attributes {
		r.Set(record.Attribute{Name: a.Name, Codec: a.Codec, Value: a.Value})
	}
	return r
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

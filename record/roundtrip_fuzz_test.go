package record_test

import (
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
)

// FuzzRoundTrip writes a record of any fields, plain and sealed, and reads it. Only
// the ring that sealed it reads the sealed one, and only under its own key.
func FuzzRoundTrip(f *testing.F) {
	f.Add("name", []byte("value"), byte(1), "alice", "1.0", uint64(1), uint32(1), int64(1_790_000_000_000), int64(1_800_000), byte(0), true)
	f.Add("", []byte{}, byte(255), "", "", uint64(1<<64-1), uint32(1<<32-1), int64(0), int64(0), byte(1), false)
	f.Add("\x00\xff", []byte("\r\nEND\r\n"), byte(0), "é", "\n", uint64(0), uint32(0), int64(-1), int64(-1), byte(2), true)
	open, ring, other := newCodec(f, false), newCodec(f, false, key(7), key(8)), newCodec(f, false, key(9))
	f.Fuzz(func(t *testing.T, name string, value []byte, codec byte, owner, version string, number uint64, small uint32, millis, span int64, kind byte, flag bool) {
		r := &record.Record{
			Kind: record.Kind(kind % 3), Persistent: flag, Epoch: small, Revision: number, Login: small,
			Members: []string{name, owner}, Leaving: []string{version}, Commits: []uint64{number, number + 1},
			Created: moment(millis), LastAccessed: moment(millis + 1), IdleTimeout: length(span), TTL: length(span), Deadline: moment(millis),
			Owner: owner, AppVersion: version,
		}
		switch r.Kind {
		case record.Alias:
			r.Target, r.OwnerChanged, r.Until = name, flag, moment(millis)
		case record.Tombstone:
			r.Reason = record.Reason(codec%5 + 1)
		}
		r.Set(record.Attribute{Name: name, Codec: codec, Value: value})
		r.Set(record.Attribute{Name: name + "2", Codec: codec, Value: []byte(owner)})
		for _, c := range []*record.Codec{open, ring} {
			if d := difference(parse(t, c, c.Append(nil, r, storageKey)), r); d != "" {
				t.Fatal(d)
			}
		}
		wantUnreadable(t, other, ring.Append(nil, r, storageKey), storageKey, "another ring")
		wantUnreadable(t, ring, ring.Append(nil, r, storageKey), storageKey[1:]+"x", "another session's")
		wantUnreadable(t, ring, open.Append(nil, r, storageKey), storageKey, "plain")
	})
}

// moment and length have the range and the resolution that records have: the first
// millisecond of 1970 is no time.
func moment(millis int64) time.Time { return time.UnixMilli(1 + int64(uint64(millis)%maxMillis)) }

func length(millis int64) time.Duration {
	return time.Duration(uint64(millis)%(maxMillis+1)) * time.Millisecond
}

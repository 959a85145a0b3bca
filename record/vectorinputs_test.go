package record_test

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
)

const (
	vectorID   = "EXAMPLEEXAMPLEEXAMPLE23456"
	renewedID  = "RENEWEDRENEWEDRENEWED23456"
	vectorTime = 1_790_000_000_123 // 2026-09-21T14:13:20.123Z
	second     = 1000
	minute     = 60 * second
	hour       = 60 * minute
	vectorTTL  = 33*minute + 45*second // an idle timeout of 30 minutes and the slack
)

// vectorInputs is what the vectors say; the rest is worked out from it.
func vectorInputs() []vector {
	return []vector{
		{Name: "minimal-session", ID: vectorID, Record: minimalFields()},
		{Name: "full-session", Namespace: "shop", ID: vectorID, Record: fullFields()},
		{Name: "tombstone", ID: vectorID, Record: fields{
			Kind: "tombstone", Epoch: 2, Revision: 9, Members: []string{"n2", "n1"}, Commits: []string{"5"},
			Created: vectorTime, LastAccessed: vectorTime + minute, IdleTimeout: 30 * minute,
			TTL: vectorTTL, Reason: "logout",
		}},
		{Name: "alias", ID: vectorID, Record: fields{
			Kind: "alias", OwnerChanged: true, Epoch: 1, Revision: 3, Members: []string{"n1", "n2"}, Commits: []string{"4", "5", "6"},
			Created: vectorTime, LastAccessed: vectorTime + minute, IdleTimeout: 30 * minute, TTL: vectorTTL,
			Target: hashedKey("", renewedID), Until: vectorTime + minute + 10*second,
		}},
		{Name: "sealed-session", ID: vectorID, Record: minimalFields(), Sealed: &sealing{
			Ring: []hexBytes{counting(0x00, 32), counting(0x80, 32)}, Nonce: counting(0x40, 24),
		}},
		{Name: "sealed-session-with-the-other-key", Namespace: "shop", ID: vectorID, Record: fullFields(), Sealed: &sealing{
			Ring: []hexBytes{counting(0x80, 32), counting(0x00, 32)}, Nonce: counting(0xe0, 24),
		}},
		{Name: "later-minor-version", ID: vectorID, Record: withTrailing(minimalFields(), "\x06later!")},
		{Name: "session-with-leaving-nodes", ID: vectorID, Record: leavingFields()},
	}
}

func minimalFields() fields {
	return fields{
		Kind: "session", Epoch: 1, Revision: 1, Members: []string{"n1"}, Commits: []string{"1"},
		Created: vectorTime, LastAccessed: vectorTime, IdleTimeout: 30 * minute, TTL: vectorTTL,
		Attributes: []attribute{{"user", 1, hexBytes("Zoë")}},
	}
}

// leavingFields is the minimal session after it moved to n1 and n4; the two nodes
// that held it before have yet to be told.
func leavingFields() fields {
	f := minimalFields()
	f.Epoch, f.Revision = 2, 2
	f.Members, f.Leaving, f.Commits = []string{"n1", "n4"}, []string{"n3", "old_2"}, []string{"1", "2"}
	return f
}

// fullFields sets every field of a session and has a value of every codec tag.
func fullFields() fields {
	f := fields{
		Kind: "session", Persistent: true, Epoch: 300, Revision: 18446744073709551615,
		Members: []string{"n1", "n2", "backup_7"}, Leaving: []string{"n3"},
		Created: vectorTime, LastAccessed: vectorTime + hour, IdleTimeout: 30 * minute,
		Deadline: vectorTime + 12*hour, TTL: vectorTTL,
		Owner: "zoë@example.com", Login: 2, AppVersion: "shop-1.4.0",
		Attributes: []attribute{
			{"", 1, hexBytes("an empty name, and a value of more than 127 bytes" + strings.Repeat(".", 100))},
			{"bool", 6, hexBytes{1}},
			{"bytes", 2, hexBytes{0, 0xff}},
			{"custom", 200, hexBytes("opaque")},
			{"float", 5, binary.LittleEndian.AppendUint64(nil, math.Float64bits(-1.5))},
			{"int", 3, binary.AppendVarint(nil, -150)},
			{"json", 8, hexBytes(`{"items":["tea","milk"]}`)},
			{"none", 2, hexBytes{}},
			{"string", 1, hexBytes("Zoë")},
			{"time", 7, hexBytes("2026-09-21T14:13:20.000000007Z")},
			{"uint", 4, binary.AppendUvarint(nil, 300)},
			{"ünïcode", 1, hexBytes("sorted by bytes")},
		},
	}
	for i := range 16 {
		f.Commits = append(f.Commits, strconv.FormatUint(math.MaxUint64-uint64(i), 10))
	}
	return f
}

func withTrailing(f fields, trailing string) fields {
	f.Trailing = hexBytes(trailing)
	return f
}

func counting(first byte, n int) hexBytes {
	b := make(hexBytes, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

// makeRefusals varies records, with good checksums where it is not the checksum
// that must be noticed.
func makeRefusals(records []vector) []refusal {
	minimal, sealed := records[0], records[4]
	body := minimal.Bytes[4 : len(minimal.Bytes)-4]
	framed := func(version, form byte, body []byte) hexBytes {
		return checksummed([]byte{'H', 'F', version, form}, body, minimal.StorageKey)
	}
	changed := func(b []byte, at int, value byte) hexBytes {
		b = slices.Clone(b)
		b[at] = value
		return b
	}
	twoNames := func(first, second byte) []byte {
		attributes := len("\x01\x04\x01\x04userZo\xc3\xab")
		return append(body[:len(body)-attributes:len(body)-attributes], 2, 1, 1, 0, 1, 1, 0, first, second)
	}
	key, other, ring := minimal.StorageKey, hashedKey("", renewedID), sealed.Sealed.Ring
	last := len(minimal.Bytes) - 1
	return []refusal{
		{Why: "nothing", StorageKey: key},
		{Why: "another beginning", StorageKey: key, Bytes: checksummed([]byte("HG\x01\x00"), body, key)},
		{Why: "a later format version", StorageKey: key, Bytes: framed(2, 0, body)},
		{Why: "an unknown form", StorageKey: key, Bytes: framed(1, 2, body)},
		{Why: "an unknown kind", StorageKey: key, Bytes: framed(1, 0, changed(body, 0, 3))},
		{Why: "an unknown flag", StorageKey: key, Bytes: framed(1, 0, changed(body, 1, 4))},
		{Why: "wrong checksum", StorageKey: key, Bytes: changed(minimal.Bytes, last, minimal.Bytes[last]^1)},
		{Why: "stored under another key", StorageKey: other, Bytes: minimal.Bytes},
		{Why: "the body ends too early", StorageKey: key, Bytes: framed(1, 0, body[:len(body)-1])},
		{Why: "attribute names not in order", StorageKey: key, Bytes: framed(1, 0, twoNames('b', 'a'))},
		{Why: "an attribute name twice", StorageKey: key, Bytes: framed(1, 0, twoNames('a', 'a'))},
		{Why: "plain, where a ring is set", StorageKey: key, Ring: ring, Bytes: minimal.Bytes},
		{Why: "sealed, where no ring is set", StorageKey: key, Bytes: sealed.Bytes},
		{Why: "sealed with a key that is not in the ring", StorageKey: key, Ring: ring[1:], Bytes: sealed.Bytes},
		{Why: "sealed and changed", StorageKey: key, Ring: ring, Bytes: changed(sealed.Bytes, 40, sealed.Bytes[40]^1)},
		{Why: "sealed and stored under another key", StorageKey: other, Ring: ring, Bytes: sealed.Bytes},
	}
}

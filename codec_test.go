package holdfast

import (
	"testing"
	"time"
)

// Damaged bytes are an error of the one attribute, for every simple type.
func TestBytesThatAreNoValue(t *testing.T) {
	for name, c := range map[string]struct {
		tag   byte
		bytes [][]byte
	}{
		"bool":  {tagBool, [][]byte{{}, {2}, {1, 1}}},
		"int":   {tagInt, [][]byte{{}, {0x80}, {1, 1}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}}},
		"uint":  {tagUint, [][]byte{{}, {0x80}, {1, 1}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}}},
		"float": {tagFloat, [][]byte{{}, {1, 2, 3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9}}},
		"time":  {tagTime, [][]byte{{}, []byte("yesterday"), []byte("2026-02-30T00:00:00Z")}},
		"JSON":  {tagJSON, [][]byte{{}, []byte("{"), []byte("{} {}")}},
	} {
		for _, b := range c.bytes {
			if v, err := decodeAny(c.tag, b); err == nil {
				t.Errorf("%s: %q is read as %v", name, b, v)
			}
		}
	}
	if v, err := codecFor[float32]().Decode([]byte{1}); err == nil {
		t.Errorf("one byte is the float32 %v", v)
	}
}

// No type of these goes through reflection.
func TestSimpleTypesHaveTheirOwnCodec(t *testing.T) {
	for name, got := range map[string]byte{
		"string": codecFor[string]().Tag(), "[]byte": codecFor[[]byte]().Tag(), "bool": codecFor[bool]().Tag(),
		"int": codecFor[int]().Tag(), "uint16": codecFor[uint16]().Tag(), "float32": codecFor[float32]().Tag(), "time": codecFor[time.Time]().Tag(),
		"named": codecFor[time.Duration]().Tag(),
	} {
		want := map[string]byte{
			"string": tagString, "[]byte": tagBytes, "bool": tagBool, "int": tagInt, "uint16": tagUint, "float32": tagFloat, "time": tagTime,
			"named": tagJSON,
		}[name]
		if got != want {
			t.Errorf("%s has codec tag %d, want %d", name, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for tag := tagString; tag <= tagJSON; tag++ {
		f.Add(tag, []byte("1"))
	}
	f.Add(tagTime, []byte("2026-11-20T12:00:00.5-03:00"))
	f.Add(tagFloat, []byte("12345678"))
	f.Fuzz(func(t *testing.T, tag byte, b []byte) {
		before := string(b)
		_, _ = decodeAny(tag, b)
		if string(b) != before {
			t.Errorf("tag %d changed the bytes it decoded", tag)
		}
	})
}

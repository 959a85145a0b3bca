package record_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"
)

var dump = regexp.MustCompile("(?ms)^```hex (\\S+)\n(.*?)^```")

// TestWireDocumentShowsTheVectors compares the annotated dumps and the derived
// values in docs/wire.md with the vectors.
func TestWireDocumentShowsTheVectors(t *testing.T) {
	doc, err := os.ReadFile("../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]vector{}
	for _, v := range readVectors(t).Records {
		byName[v.Name] = v
	}
	dumps := dump.FindAllStringSubmatch(string(doc), -1)
	if len(dumps) < 3 {
		t.Fatalf("got %d dumps, want at least 3", len(dumps))
	}
	for _, d := range dumps {
		name, lines := d[1], d[2]
		v, ok := byName[name]
		if got := bytesOfDump(t, lines); !ok || !bytes.Equal(got, v.Bytes) {
			t.Errorf("dump of %s (a vector: %v): got\n%x, want\n%x", name, ok, got, v.Bytes)
		}
	}
	sealed := byName["sealed-session"].Sealed
	for _, text := range []string{byName["minimal-session"].StorageKey, hex.EncodeToString(sealed.RecordKey)} {
		if !bytes.Contains(doc, []byte(text)) {
			t.Errorf("%s is missing", text)
		}
	}
}

// bytesOfDump takes the hexadecimal bytes of each line, which end at two spaces.
func bytesOfDump(t *testing.T, lines string) (all []byte) {
	t.Helper()
	for line := range strings.Lines(lines) {
		digits, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		all = append(all, b...)
	}
	return all
}

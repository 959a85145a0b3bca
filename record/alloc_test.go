//go:build !race

package record_test

import "testing"

// A seal has a key of its own for each record, which is what it allocates; a clone is in one
// piece with what it has room for. The race detector makes pools forget, so it does not count here.
func TestAllocationsOfSealedRecordsAndClones(t *testing.T) {
	r, buf := benchRecord(t), make([]byte, 0, 1024)
	c := newCodec(t, false, key(7))
	stored := c.Append(nil, r, storageKey)
	for _, step := range []struct {
		name string
		work func()
		most float64
	}{
		{"sealing", func() { c.Append(buf, r, storageKey) }, 4},
		{"opening", func() { _, _ = c.Parse(stored, storageKey) }, 7},
		{"a clone", func() { r.Clone() }, 1},
	} {
		if got := testing.AllocsPerRun(100, step.work); got > step.most {
			t.Errorf("%s has %v allocations, want at most %v", step.name, got, step.most)
		}
	}
}

func BenchmarkClone(b *testing.B) {
	r := benchRecord(b)
	b.ReportAllocs()
	for b.Loop() {
		r.Clone()
	}
}

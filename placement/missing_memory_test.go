package placement

import (
	"runtime"
	"strconv"
	"testing"
)

func TestMillionInventedIDsTakeLittleMemory(t *testing.T) {
	m := newMissing()
	before := heap()
	for i := range 1_000_000 {
		key := strconv.Itoa(i)
		m.add(key)
		if !m.has(key) {
			t.Fatalf("%s is not remembered", key)
		}
		if n := m.keys.Len(); n > 2*maxMissing {
			t.Fatalf("%d ids are remembered, want at most %d", n, 2*maxMissing)
		}
	}
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	runtime.KeepAlive(m)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

package record

import (
	"strconv"
	"testing"
)

// Two names in one slot would be made again with each record. Of a thousand tables
// none does so.
func TestSharedNamesDoNotPushEachOtherOut(t *testing.T) {
	names := make([][]byte, 8)
	for i := range names {
		names[i] = []byte("n" + strconv.Itoa(i))
	}
	for range 1000 {
		s := newShared()
		use := func() {
			for _, name := range names {
				s.string(name)
			}
		}
		for range len(names) { // at most so often one gives way to another
			use()
		}
		if again := testing.AllocsPerRun(1, use); again > 0 {
			t.Fatalf("%v allocations for %d names that are there", again, len(names))
		}
	}
}

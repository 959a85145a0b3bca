package storetest

import (
	"bytes"
	"fmt"
	"math"

	"github.com/holdfast-sessions/holdfast/store"
)

func contentRows() []row {
	return []row{
		{name: "flags-survive", rule: "Flags survive byte for byte", check: func(t *trial) {
			for _, flags := range []uint32{0, 1, 1 << 31, math.MaxInt32, math.MaxUint32} {
				item := text("value")
				item.Flags = flags
				t.wantStored("k", item, t.mustPut("k", item))
			}
		}},

		{name: "empty-value", rule: "An item without a value is an item", check: func(t *trial) {
			for _, value := range [][]byte{nil, {}} {
				item := store.Item{Value: value}
				t.wantStored("k", item, t.mustPut("k", item))
				t.wantErr("Put at Absent", t.put("k", item, store.Absent), store.ErrConflict)
			}
		}},

		{name: "binary-value", rule: "Every byte of a value survives, line ends and words of the protocol too", check: func(t *trial) {
			for i, value := range binaryValues() {
				name := fmt.Sprint("k", i)
				item := store.Item{Value: value}
				t.wantStored(name, item, t.mustPut(name, item))
			}
		}},

		{name: "sizes", rule: "A value comes back whole, whatever its size", check: func(t *trial) {
			for _, size := range []int{1, 2, 511, 512, 4095, 4096, 4097, 16383, 16384, 65535, 65536, 65537, 300_000} {
				if t.MaxItem != 0 && size+itemOverhead > t.MaxItem {
					continue
				}
				item := store.Item{Value: pattern(size)}
				t.wantStored("k", item, t.mustPut("k", item))
			}
		}},

		{name: "value-of-get-belongs-to-the-caller", rule: "The caller owns the returned Value: changing it changes nothing stored", check: func(t *trial) {
			v := t.mustPut("k", text("value"))
			got := t.mustGet("k", store.Whole).Value
			again := t.mustGet("k", store.Whole).Value
			clear(got)
			_ = append(got[:0], "scribble on it"...)
			if string(again) != "value" {
				t.Errorf("two Gets share memory: got %q", again)
			}
			t.wantStored("k", text("value"), v)
		}},

		{name: "value-of-put-may-change-afterwards", rule: "Put has copied the Value when it returns", check: func(t *trial) {
			item := text("value")
			v := t.mustPut("k", item)
			copy(item.Value, "VALUE")
			t.wantStored("k", text("value"), v)
		}},
	}
}

func binaryValues() [][]byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return [][]byte{
		all,
		bytes.Repeat(all, 17),
		[]byte("\r\n"),
		[]byte("\r"),
		[]byte("\x00"),
		[]byte("line\r\nEN\r\nHD\r\nEND\r\nSTORED\r\n"),
		[]byte("VA 5 c1\r\nvalue\r\nMN\r\n"),
		[]byte("$5\r\nvalue\r\n'; DROP TABLE sessions; --"),
		bytes.Repeat([]byte{0xff}, 100),
	}
}

// pattern returns size bytes in which no two stretches are alike.
func pattern(size int) []byte {
	value := make([]byte, size)
	for i, x := 0, uint32(1); i < size; i++ {
		x = x*1664525 + 1013904223
		value[i] = byte(x >> 24)
	}
	return value
}

// brief shows a value in a message: the whole of it, or where it begins and
// how long it is.
func brief(value []byte) string {
	if len(value) <= 80 {
		return fmt.Sprintf("%q", value)
	}
	return fmt.Sprintf("%q… (%d bytes)", value[:40], len(value))
}

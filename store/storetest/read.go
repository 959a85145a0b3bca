package storetest

import (
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func readRows() []row {
	return []row{
		{name: "get-absent", rule: "Get of an absent item is ErrNotFound, with Whole and with Head", check: func(t *trial) {
			t.wantAbsent("k")
		}},

		{name: "get-returns-what-was-put", rule: "Get returns value, flags, time left and version of the item", check: func(t *trial) {
			s := t.stopwatch()
			v := t.mustPut("k", text("value"))
			t.wantStored("k", text("value"), v)
			t.wantTTL(s, "k", time.Hour)
		}},

		{name: "head-leaves-the-value-out", rule: "With Head the Value is left out; the other fields are the same", check: func(t *trial) {
			s := t.stopwatch()
			v := t.mustPut("k", text("value"))
			head := t.mustGet("k", store.Head)
			if len(head.Value) != 0 {
				t.Errorf("value with Head: got %q, want none", head.Value)
			}
			if head.Flags != 7 || head.Version != v {
				t.Errorf("Head: flags %d, version %v, want 7, %v", head.Flags, head.Version, v)
			}
			t.wantLeft(s, "Head", head.TTL, time.Hour)
		}},

		{name: "get-changes-nothing", rule: "Reading an item changes neither its version nor its time left", check: func(t *trial) {
			s := t.stopwatch()
			v := t.mustPut("k", text("value"))
			for range 5 {
				t.mustGet("k", store.Head)
				t.wantStored("k", text("value"), v)
			}
			t.wantTTL(s, "k", time.Hour)
			t.mustPutAt("k", text("next"), v)
		}},
	}
}

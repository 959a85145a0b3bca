package storetest

import (
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func versionRows() []row {
	return []row{
		{name: "version-changes-with-every-put", rule: "Every Put gives the item a version that it never had, even with the same value", check: func(t *trial) {
			seen := map[store.Version]bool{}
			for range 20 {
				v := t.mustPut("k", text("same"))
				if seen[v] {
					t.Fatalf("version %v came twice", v)
				}
				seen[v] = true
			}
		}},

		{name: "version-is-the-same-everywhere", rule: "Put, Get, Head and Touch name the same version", check: func(t *trial) {
			v := t.mustPut("k", text("value"))
			if got := t.mustGet("k", store.Whole).Version; got != v {
				t.Errorf("Get: version %v, Put said %v", got, v)
			}
			if got := t.mustGet("k", store.Head).Version; got != v {
				t.Errorf("Head: version %v, Put said %v", got, v)
			}
			if got := t.mustTouch("k", time.Minute); got != v {
				t.Errorf("Touch: version %v, Put said %v", got, v)
			}
		}},

		{name: "version-has-a-generation", rule: "A version has a generation of at least 1, so that it is neither Absent nor Any", check: func(t *trial) {
			for _, v := range []store.Version{
				t.mustPut("k", text("value")),
				t.mustGet("k", store.Whole).Version,
				t.mustGet("k", store.Head).Version,
				t.mustTouch("k", time.Minute),
			} {
				if v.Generation == 0 {
					t.Errorf("version %v has generation 0", v)
				}
			}
		}},

		{name: "version-is-not-inherited", rule: "An item that was deleted and made again does not match versions of the former one", check: func(t *trial) {
			old := t.mustPut("k", text("former"))
			t.mustDelete("k", old)
			v := t.mustPutAt("k", text("again"), store.Absent)
			if v == old {
				t.Errorf("version %v came again", v)
			}
			t.wantErr("Put at the former version", t.put("k", text("late"), old), store.ErrConflict)
			t.wantErr("Delete at the former version", t.del("k", old), store.ErrConflict)
			t.wantStored("k", text("again"), v)
		}},
	}
}

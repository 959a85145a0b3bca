package storetest

import "github.com/holdfast-sessions/holdfast/store"

func deleteRows() []row {
	return []row{
		{name: "delete-any", rule: "Delete at Any removes whatever is there", check: func(t *trial) {
			t.mustPut("k", text("value"))
			t.mustDelete("k", store.Any)
			t.wantAbsent("k")
		}},

		{name: "delete-at-its-version", rule: "Delete at the version that the item has removes it, and no other item", check: func(t *trial) {
			other := t.mustPut("other", text("other"))
			v := t.mustPut("k", text("value"))
			t.mustDelete("k", v)
			t.wantAbsent("k")
			t.wantStored("other", text("other"), other)
		}},

		{name: "delete-at-another-version", rule: "Delete at another version is ErrConflict", check: func(t *trial) {
			old := t.mustPut("k", text("old"))
			v := t.mustPut("k", text("new"))
			t.wantErr("Delete at the old version", t.del("k", old), store.ErrConflict)
			t.wantStored("k", text("new"), v)
		}},

		{name: "delete-absent", rule: "Delete where no item is succeeds, at Any, at Absent and at a version", check: func(t *trial) {
			v := t.mustPut("k", text("value"))
			t.mustDelete("k", v)
			t.mustDelete("k", store.Any)
			t.mustDelete("k", store.Absent)
			t.mustDelete("k", v)
		}},

		{name: "delete-at-absent", rule: "Delete at Absent where an item is is ErrConflict", check: func(t *trial) {
			v := t.mustPut("k", text("value"))
			t.wantErr("Delete at Absent", t.del("k", store.Absent), store.ErrConflict)
			t.wantStored("k", text("value"), v)
		}},
	}
}

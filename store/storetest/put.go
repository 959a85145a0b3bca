package storetest

import (
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func putRows() []row {
	return []row{
		{name: "put-absent-creates", rule: "Put at Absent creates an item", check: func(t *trial) {
			v := t.mustPutAt("k", text("new"), store.Absent)
			t.wantStored("k", text("new"), v)
		}},

		{name: "put-absent-never-overwrites", rule: "Put at Absent where an item is is ErrConflict", check: func(t *trial) {
			v := t.mustPut("k", text("old"))
			t.wantErr("Put at Absent", t.put("k", text("new"), store.Absent), store.ErrConflict)
			t.wantStored("k", text("old"), v)
		}},

		{name: "put-any-creates", rule: "Put at Any writes where no item is", check: func(t *trial) {
			v := t.mustPutAt("k", text("new"), store.Any)
			t.wantStored("k", text("new"), v)
		}},

		{name: "put-any-overwrites", rule: "Put at Any writes over whatever is there", check: func(t *trial) {
			t.mustPut("k", text("old"))
			v := t.mustPutAt("k", text("new"), store.Any)
			t.wantStored("k", text("new"), v)
		}},

		{name: "put-at-its-version", rule: "Put at the version that the item has writes over it", check: func(t *trial) {
			old := t.mustPut("k", text("old"))
			v := t.mustPutAt("k", text("new"), old)
			t.wantStored("k", text("new"), v)
		}},

		{name: "put-replaces-flags-and-ttl", rule: "Put gives the item the flags and the time to live of the new one", check: func(t *trial) {
			old := t.mustPut("k", text("old"))
			s := t.stopwatch()
			want := store.Item{Value: []byte("new"), Flags: 8, TTL: 2 * time.Hour}
			v := t.mustPutAt("k", want, old)
			t.wantStored("k", want, v)
			t.wantTTL(s, "k", 2*time.Hour)
		}},

		{name: "put-at-another-version", rule: "Put at a version that the item no longer has is ErrConflict", check: func(t *trial) {
			old := t.mustPut("k", text("old"))
			v := t.mustPutAt("k", text("new"), old)
			t.wantErr("Put at the old version", t.put("k", text("late"), old), store.ErrConflict)
			t.wantStored("k", text("new"), v)
		}},

		{name: "put-at-a-version-of-nothing", rule: "Put at a version where no item is is ErrConflict, and makes none", check: func(t *trial) {
			v := t.mustPut("k", text("old"))
			t.mustDelete("k", store.Any)
			t.wantErr("Put where nothing is", t.put("k", text("late"), v), store.ErrConflict)
			t.wantAbsent("k")
		}},

		{name: "conflict-changes-nothing", rule: "A conflict leaves value, flags, version and time left as they are", check: func(t *trial) {
			old := t.mustPut("k", text("older"))
			s := t.stopwatch()
			v := t.mustPut("k", text("old"))
			late := store.Item{Value: []byte("late"), Flags: 9, TTL: 9 * time.Hour}
			t.wantErr("Put at the old version", t.put("k", late, old), store.ErrConflict)
			t.wantErr("Put at Absent", t.put("k", late, store.Absent), store.ErrConflict)
			t.wantErr("Delete at the old version", t.del("k", old), store.ErrConflict)
			t.wantStored("k", text("old"), v)
			t.wantTTL(s, "k", time.Hour)
		}},

		{name: "put-ignores-the-version-in-the-item", rule: "item.Version is ignored by Put", check: func(t *trial) {
			v := t.mustPut("k", text("old"))
			item := text("new")
			item.Version = store.Version{Generation: 99, Token: 99}
			v = t.mustPutAt("k", item, v)
			t.wantStored("k", item, v)

			item.Version = v
			t.wantErr("Put at Absent", t.put("k", item, store.Absent), store.ErrConflict)
		}},
	}
}

package storetest

import (
	"errors"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func restartRows() []row {
	return []row{
		{name: "restart-recovers", rule: "After a restart of its server a store works again by itself, and the items are gone", check: func(t *trial) {
			t.mustPut("k", text("value"))
			t.restart()
			t.wantAbsent("k")
			v := t.mustPutAt("k", text("new"), store.Absent)
			t.wantStored("k", text("new"), v)
		}},

		{name: "restart-ends-versions", rule: "A version from before a restart never matches, also when the new server counts up to the same number", check: func(t *trial) {
			var old store.Version
			for range 10 {
				old = t.mustPut("k", text("before"))
			}
			t.restart()
			t.wantErr("Put where nothing is", t.put("k", text("late"), old), store.ErrConflict)
			t.wantAbsent("k")

			// A server that counts from 1 again meets the old number here. One
			// that does not is left after some steps.
			for range 2000 {
				v := t.mustPut("k", text("after"))
				if v == old {
					t.Fatalf("version %v came again", v)
				}
				if v.Token > old.Token {
					break
				}
				if v.Token+3 < old.Token {
					continue
				}
				t.wantErr("Put at the version from before the restart", t.put("k", text("late"), old), store.ErrConflict)
				t.wantErr("Delete at the version from before the restart", t.del("k", old), store.ErrConflict)
				t.wantStored("k", text("after"), v)
			}
		}},

		{name: "restart-ends-other-versions", rule: "A version from before a restart does not match an item of another key either", check: func(t *trial) {
			old := t.mustPut("k", text("before"))
			t.restart()
			v := t.mustPut("other", text("after"))
			t.wantErr("Put", t.put("other", text("late"), old), store.ErrConflict)
			t.wantErr("Delete", t.del("other", old), store.ErrConflict)
			t.wantStored("other", text("after"), v)
		}},
	}
}

// restart restarts the server and waits until the store works again: the calls
// that tell it that its connection is gone may fail.
func (t *trial) restart() {
	t.Helper()
	if t.Restart == nil {
		t.Skip("no restart: " + t.NoRestart)
	}
	t.Harness.Restart(t)
	end := time.Now().Add(patience)
	for {
		_, err := t.Store.Get(t.Context(), t.key("probe"), store.Head)
		if errors.Is(err, store.ErrNotFound) {
			return
		}
		if !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("Get after the restart: %v", err)
		}
		if time.Now().After(end) {
			t.Fatalf("the store does not recover within %v of a restart: %v", patience, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

package storetest

import (
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func touchRows() []row {
	return []row{
		{name: "touch-sets-the-ttl", rule: "Touch sets the time to live: longer, shorter, to and from Forever", check: func(t *trial) {
			t.mustPut("k", text("value"))
			for _, ttl := range []time.Duration{2 * time.Hour, time.Minute, store.Forever, time.Hour} {
				s := t.stopwatch()
				t.mustTouch("k", ttl)
				t.wantTTL(s, "k", ttl)
			}
		}},

		{name: "touch-keeps-the-item", rule: "Touch leaves value, flags and version as they are", check: func(t *trial) {
			v := t.mustPut("k", text("value"))
			t.mustTouch("k", time.Minute)
			t.wantStored("k", text("value"), v)
			t.mustPutAt("k", text("next"), v)
		}},

		{name: "touch-absent", rule: "Touch where no item is is ErrNotFound, and makes none", check: func(t *trial) {
			_, err := t.Store.Touch(t.Context(), t.key("k"), time.Hour)
			t.wantErr("Touch", err, store.ErrNotFound)
			t.wantAbsent("k")
		}},
	}
}

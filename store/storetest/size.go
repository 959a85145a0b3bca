package storetest

import (
	"errors"

	"github.com/holdfast-sessions/holdfast/store"
)

// itemOverhead is what a server may count for an item beside its value.
const itemOverhead = 1 << 10

func sizeRows() []row {
	return []row{
		{name: "largest-item", rule: "An item that the server accepts is stored, up to 1 KiB below the limit", check: func(t *trial) {
			t.needMaxItem()
			item := store.Item{Value: pattern(t.MaxItem - 2*itemOverhead)}
			t.wantStored("k", item, t.mustPut("k", item))
			v := t.mustPut("k", item)
			t.wantStored("k", item, t.mustPutAt("k", item, v))
		}},

		{name: "too-large", rule: "An item above the server's limit is ErrTooLarge with the figures in a *SizeError, found before sending: the stored item is as it was", check: func(t *trial) {
			t.needMaxItem()
			v := t.mustPut("k", text("value"))
			for _, size := range []int{t.MaxItem, t.MaxItem + 1, 2 * t.MaxItem, 5*t.MaxItem + 3} {
				for name, at := range map[string]store.Version{"any": store.Any, "its version": v, "another": {Generation: v.Generation, Token: v.Token + 1}, "absent": store.Absent} {
					err := t.put("k", store.Item{Value: pattern(size)}, at)
					t.wantErr("Put at "+name, err, store.ErrTooLarge)
					if e, ok := errors.AsType[*store.SizeError](err); !ok || e.Size < size || e.Limit <= 0 || e.Size <= e.Limit {
						t.Errorf("Put of %d bytes at %s: error %#v, want a *SizeError with the figures", size, name, err)
					}
				}
				t.wantStored("k", text("value"), v)
			}
			t.wantErr("Put where nothing is", t.put("none", store.Item{Value: pattern(t.MaxItem + 1)}, store.Any), store.ErrTooLarge)
			t.wantAbsent("none")
		}},
	}
}

func (t *trial) needMaxItem() {
	t.Helper()
	if t.MaxItem == 0 {
		t.Skip("the harness gives no MaxItem")
	}
}

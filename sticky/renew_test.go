package sticky_test

import (
	"testing"

	"github.com/holdfast-sessions/holdfast/record"
)

func TestARenewalReadsNothing(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.mustAdd(id, "app1")
		a.flush()
		v := a.mustLoad(id, "app1")
		ch := change(func(*record.Record) {})
		ch.RenewTo = newID
		calls := f.calls(func() {
			if _, err := a.Commit(t.Context(), id, v, ch); err != nil {
				t.Fatal(err)
			}
		})
		if calls != 4 { // the new record, and the alias, on two nodes
			t.Errorf("a renewal made %d calls to the nodes, want 4", calls)
		}
	})
}

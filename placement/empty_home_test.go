package placement_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// EmptyHomeSilent. One server reads the copy, then another commits to both, then the home
// loses its memory, and now the first finds it empty: if it filled it with what it has
// read, the home would count.
func TestAnEmptyHomeHasNoSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		first, other := all.server(t, "first", 2, placement.Options{}), all.server(t, "other", 2, placement.Options{})
		id, _ := createAt(t, other, "n1")
		all[0].Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			if call.Client == "first" && call.Verb == "get" {
				time.Sleep(timeout / 5)
			}
			return next()
		})
		var read *store.View
		var reading sync.WaitGroup
		reading.Go(func() { read, _ = first.Load(t.Context(), id, "n2") })
		synctest.Wait()
		commit(t, other, id, load(t, other, id), increment("other"))
		all[0].Empty()
		reading.Wait()
		all[0].Intercept(nil)
		if read == nil || count(read.Record, "other") != 0 {
			t.Fatalf("the first server has read %+v, want the session as it was before", read)
		}
		got := commit(t, first, id, read, increment("first")).Record
		if count(got, "first") != 1 || count(got, "other") != 1 {
			t.Errorf("first=%d other=%d, want 1 and 1", count(got, "first"), count(got, "other"))
		}
	})
}

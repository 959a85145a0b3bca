package placement_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
)

// The home has refused a change that its copy took, and its server is no more. The next
// change reaches the home alone, since the copy hangs. When the copy is back it must be
// seen to lack that.
func TestACopyThatIsAheadAndAwayIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		dying, other := all.server(t, "dying", 2, placement.Options{}), all.server(t, "other", 2, placement.Options{})
		id, before := createAt(t, dying, "n1")
		refuse(all[0], map[string]int{"dying": 0})
		refuse(all[1], map[string]int{"dying": 1})
		if _, err := dying.Commit(t.Context(), id, before, increment("dying")); !errors.Is(err, store.ErrUnknownOutcome) {
			t.Fatalf("the change that only the copy took: %v", err)
		}
		all[1].Freeze()
		load(t, other, id)
		time.Sleep(10 * time.Second)
		commit(t, other, id, load(t, other, id), increment("other"))
		all[1].Thaw()
		time.Sleep(10 * time.Second)
		for range 3 {
			load(t, other, id)
			time.Sleep(10 * time.Second)
		}
		all[0].Kill()
		if got := load(t, other, id).Record; count(got, "other") != 1 {
			t.Errorf("other=%d after the home was lost, want 1: its copy was never mended", count(got, "other"))
		}
	})
}

package sticky_test

import (
	"testing"
	"testing/synctest"

	"github.com/holdfast-sessions/holdfast/sticky"
)

// Fails about once in twelve runs with -race: -count 100.
func TestAReadThroughAFormerIDShowsWhatIsSentJustThen(t *testing.T) {
	inFarm(t, 1, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		a.mustRenew(id, "app1")
		f.cut("app1")
		a.mustAdd(newID, "app1")
		synctest.Wait() // it could not be sent
		f.mend("app1")
		if got := total(a.mustLoadAliased(id, "app1").Record); got != 1 {
			t.Errorf("the former id reads %d, want 1", got)
		}
	})
}

package sticky_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// The server that had it before brings back its old copy, and the one that has it
// takes that over its own.
func TestAnOlderCopyDoesNotReplaceWhatItsServerHas(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inModes(t, 2, nodes, func(t *testing.T, f *farm, _ bool) {
			a, b := f.servers[0], f.servers[1]
			b.begin(id)
			b.mustAdd(id, "app2")
			b.flush()
			a.mustLoad(id, "app2") // moves to a, for good
			for range 5 {
				a.mustAdd(id, "app1")
			}
			a.flush()
			time.Sleep(20 * time.Second) // a is idle for a moment
			f.cut("app1")                // its resending comes later than b's
			f.empty()
			time.Sleep(10 * time.Second)
			f.mend("app1")
			time.Sleep(10 * time.Second)
			a.wantTotal(id, "app1", 6)
		})
	}
}

// To store it again in the place of an older copy is no use: its time goes on.
func TestASessionStoredAgainOverAnOlderCopyEndsInTime(t *testing.T) {
	inModes(t, 2, 1, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		b.begin(id)
		a.mustLoad(id, "app2")
		for range 5 {
			a.mustAdd(id, "app1")
		}
		a.flush()
		time.Sleep(20 * time.Minute)
		f.cut("app1")
		f.empty()
		time.Sleep(10 * time.Second)
		f.mend("app1")
		time.Sleep(13 * time.Minute)
		if v, err := f.start("app3", sticky.Options{}).load(id, ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("it is still there, unused for 33 of 30 minutes: %v, %v", v, err)
		}
	})
}

// The same without a cut: the order of the rounds decides.
func TestAnOlderCopyThatIsFirstDoesNotReplaceTheNewer(t *testing.T) {
	lost := 0
	for i := range 10 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			inFarm(t, 2, 1, sticky.Options{}, func(t *testing.T, f *farm) {
				a, b := f.servers[0], f.servers[1]
				sid := fmt.Sprintf("EXAMPLEEXAMPLEEXAMPLE2345%d", i)
				b.begin(sid)
				a.mustLoad(sid, "app2")
				for range 5 {
					a.mustAdd(sid, "app1")
				}
				time.Sleep(20 * time.Second)
				for j := range 200 {
					a.begin(fmt.Sprintf("OTHEROTHEROTHEROTHEROTH%03d", j))
				}
				f.empty()
				time.Sleep(20 * time.Second)
				if got := total(a.mustLoad(sid, "app1").Record); got != 5 {
					lost++
				}
			})
		})
	}
	if lost > 0 {
		t.Errorf("%d of 10 sessions lost what was acknowledged", lost)
	}
}

// A logout, then the cache restarts: the former server stores its old copy again.
func TestALogoutIsNotUndoneByAnOlderCopy(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inModes(t, 3, nodes, func(t *testing.T, f *farm, _ bool) {
			a, b, c := f.servers[0], f.servers[1], f.servers[2]
			b.begin(id)
			b.flush()
			if err := a.Destroy(t.Context(), a.mustLoad(id, "app2")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Second)
			f.empty()
			time.Sleep(10 * time.Second)
			if _, err := c.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("after a logout: %v, want not found", err)
			}
		})
	}
}

// The idle timeout passes while no node answers.
func TestAnOutageDoesNotBringBackASessionWhoseTimeIsOver(t *testing.T) {
	for _, minutes := range []time.Duration{33, 40} {
		t.Run(fmt.Sprint(minutes), func(t *testing.T) {
			inFarm(t, 1, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
				a := f.servers[0]
				a.begin(id)
				f.cut("app1")
				time.Sleep(2 * time.Second)
				a.mustAdd(id, "app1") // last use
				time.Sleep(minutes * time.Minute)
				f.mend("app1")
				time.Sleep(10 * time.Second)
				if _, err := a.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("after %v minutes, with an idle timeout of 30: %v, want not found", minutes, err)
				}
			})
		})
	}
}

// Both members are out of this server's reach for longer than a minute, and come back
// with what they had.
func TestASessionThatWasStoredAgainOutranksItsOldCopies(t *testing.T) {
	for name, fault := range map[string]func(n *faultstore.Node) (end func()){
		"they hang":     func(n *faultstore.Node) func() { n.Freeze(); return n.Thaw },
		"it is cut off": func(n *faultstore.Node) func() { n.Cut("app1"); return func() { n.Mend("app1") } },
		"they stop, memory": func(n *faultstore.Node) func() {
			old := n.Snapshot()
			n.Kill()
			return func() { n.Revive(); n.Restore(old) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			inFarm(t, 1, 3, sticky.Options{}, func(t *testing.T, f *farm) {
				a := f.servers[0]
				v := a.begin(id)
				for range 5 {
					a.mustAdd(id, "app1")
				}
				var ends []func()
				for i, n := range f.nodes {
					for _, m := range v.Record.Members {
						if m == fmt.Sprint("n", i+1) {
							ends = append(ends, fault(n))
						}
					}
				}
				time.Sleep(3 * time.Minute)
				acknowledged := 5
				for range 3 {
					if a.add(id, "app1") == nil {
						acknowledged++
					}
					time.Sleep(time.Second)
				}
				t.Log("acknowledged:", acknowledged, "reads:", total(a.mustLoad(id, "app1").Record))
				for _, end := range ends {
					end()
				}
				time.Sleep(time.Minute)
				a.wantTotal(id, "app1", acknowledged)
				f.start("app9", stickyOptions()).wantTotal(id, "app1", acknowledged)
			})
		})
	}
}

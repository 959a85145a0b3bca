package sticky_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
)

// A request that the browser has sent before still runs on the former server. What it
// does is seen by those that come after its answer, wherever they go.
func TestAfterATakeOverLateChangesOfTheFormerServerAreSeen(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		late := a.begin(id)
		a.flush()
		b.mustLoad(id, "app1")
		for i := range 4 {
			time.Sleep(time.Second)
			v := b.mustLoad(id, "app2")
			if err := a.addTo(id, late); err != nil {
				t.Fatal(err)
			}
			a.flush()
			if i%2 == 0 {
				b.wantTotal(id, "app2", 3*i/2+1)
				continue
			}
			if got, want := b.answer(id, v, oneMore()), 3*(i+1)/2; got != want {
				t.Errorf("%d seconds after the take-over a change is answered with %d, want %d", i+1, got, want)
			}
		}
	})
}

// A former id is good for a while, and its cookie names the former server as long.
func TestAfterATakeOverChangesThroughAFormerIDAreSeen(t *testing.T) {
	for _, async := range []bool{false, true} {
		inFarm(t, 2, 2, sticky.Options{Async: async, Grace: time.Minute}, func(t *testing.T, f *farm) {
			a, b := f.servers[0], f.servers[1]
			a.begin(id)
			a.mustRenew(id, "app1")
			b.mustLoad(newID, "app1")
			for i := range 5 {
				time.Sleep(10 * time.Second)
				if err := a.addTo(id, a.mustLoadAliased(id, "app1")); err != nil {
					t.Fatal(err)
				}
				a.flush()
				b.wantTotal(newID, "app2", i+1)
			}
		})
	}
}

// What a server takes from its memory while no node answers, it has not heard of them.
func TestAfterAnOutageLateChangesOfTheFormerServerAreSeen(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		const sessions = 50 // checked one after the other when the nodes are back
		a, b := f.servers[0], f.servers[1]
		late := make(map[string]*store.View)
		for i := range sessions {
			id := fmt.Sprint(id, i)
			late[id] = a.begin(id)
			a.flush()
			b.mustLoad(id, "app1")
		}
		f.cut("app2")
		time.Sleep(2 * time.Minute) // until nothing is settling any more, and each use has it checked
		for id := range late {
			b.wantTotal(id, "app2", 0)
		}
		for id, v := range late {
			if err := a.addTo(id, v); err != nil {
				t.Fatal(err)
			}
		}
		a.flush()
		f.mend("app2")
		for b.Stats().Away {
			time.Sleep(time.Millisecond)
		}
		for id := range late {
			b.wantTotal(id, "app2", 1)
		}
	})
}

func TestAWhileAfterATakeOverAReadAsksNobody(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		b.mustLoad(id, "app1")
		time.Sleep(6 * time.Second)
		b.mustLoad(id, "app2") // once more
		if got := f.calls(func() { b.mustLoad(id, "app2") }); got != 0 {
			t.Errorf("a read made %d calls to the nodes", got)
		}
	})
}

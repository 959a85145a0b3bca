package placement_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// What a renewal has written before another change came between would be found one day,
// when the nodes of the session are away.
func TestARenewalThatMetAChangeLeavesNothingBehind(t *testing.T) {
	for _, dies := range []bool{false, true} {
		t.Run(fmt.Sprintf("the copy dies meanwhile: %v", dies), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := newNodes(3)
				a, b := all.server(t, "a", 3, placement.Options{}), all.server(t, "b", 3, placement.Options{})
				v := onThirdAndSecond(t, all, a)
				other := commitSlowly(t, all, b, v.Key)
				if dies {
					all[1].Intercept(dieOnce(all[1], v.Key))
				}
				moved := commit(t, a, "", v, renewal("renewed", newID))
				<-other
				all[1].Intercept(nil)
				time.Sleep(time.Second)
				if dies {
					all[1].Revive()
				}
				time.Sleep(time.Minute)
				commit(t, a, newID, moved, increment("after"))
				time.Sleep(time.Second)
				r := load(t, b, newID).Record
				for i, n := range all {
					left := stored(t, n.Client("test"), key(newID))
					if left != nil && !slices.Equal(left.Members, r.Members) {
						t.Errorf("n%d has e%dr%d on %v of the session, which is e%dr%d on %v", i+1, left.Epoch, left.Revision, left.Members, r.Epoch, r.Revision, r.Members)
					}
				}
			})
		})
	}
}

// dieOnce has n die when the renewal has written there in the old place.
func dieOnce(n *faultstore.Node, key string) faultstore.Interceptor {
	died := false
	return func(_ context.Context, call faultstore.Call, next func() error) error {
		err := next()
		if call.Client == "a" && call.Key == key && call.Verb == "put" && !died {
			died = true
			n.Kill()
		}
		return err
	}
}

// onThirdAndSecond begins a session with those members, though the first node comes
// after the third in the list.
func onThirdAndSecond(t *testing.T, all nodes, a *placement.Cluster) *store.View {
	all[0].Kill()
	for i := 0; ; i++ {
		create(t, a, numberedID(i))
		if v := load(t, a, numberedID(i)); v.Record.Members[0] == "n3" && v.Record.Members[1] == "n2" {
			all[0].Revive()
			time.Sleep(10 * time.Second)
			v = commit(t, a, "", v, increment("begin"))
			v.Seen, _ = a.Standing(v) // so that no other node is known to be there
			return v
		}
	}
}

// commitSlowly has b change the session at its home; its copy hears of it later.
func commitSlowly(t *testing.T, all nodes, b *placement.Cluster, key string) (done chan struct{}) {
	done = make(chan struct{})
	v, err := b.LoadKey(t.Context(), key, "")
	if err != nil {
		t.Fatal(err)
	}
	all[1].Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
		if call.Client == "b" && call.Verb == "put" {
			time.Sleep(50 * time.Millisecond)
		}
		return next()
	})
	go func() {
		defer close(done)
		_, _ = b.Commit(t.Context(), "", v, increment("between"))
	}()
	synctest.Wait()
	return done
}

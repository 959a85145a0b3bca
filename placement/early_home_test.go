package placement_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// A server that does not reach the home has moved the session to the copy, another has
// brought it to the former home, and the first goes on at the new one alone. A third has read
// the new home before all that, and the former one after it: to that one the home seems lost.
func TestAHomeThatWasReadTooEarlyIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		cut, b, c := all.server(t, "cut", 2, placement.Options{}), all.server(t, "b", 2, placement.Options{}), all.server(t, "c", 2, placement.Options{})
		id, _ := createAt(t, b, "n1")
		begun := load(t, cut, id)
		all[0].Cut("cut")
		var once sync.Once
		wentOn := make(chan struct{})
		meanwhile := func() {
			moved := commit(t, cut, id, begun, increment("cut"))
			commit(t, b, id, load(t, b, id), increment("b"))
			commit(t, cut, id, moved, increment("cut"))
			close(wentOn)
		}
		all[1].Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			err := next()
			if call.Client == "c" && call.Key == key(id) {
				once.Do(meanwhile)
			}
			return err
		})
		all[0].Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			if call.Client == "c" && call.Key == key(id) {
				<-wentOn
			}
			return next()
		})
		early, err := c.Load(t.Context(), id, "n2")
		if err != nil {
			t.Fatal(err)
		}
		commit(t, c, id, early, increment("c"))
		for name, want := range map[string]int{"cut": 2, "b": 1, "c": 1} {
			if got := count(load(t, b, id).Record, name); got != want {
				t.Errorf("%d changes of %s are there, want %d", got, name, want)
			}
		}
	})
}

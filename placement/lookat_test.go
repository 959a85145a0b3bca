package placement_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
)

// A server that has a session in memory tells the nodes later when it was used: its life
// goes on from there, no shorter and no longer.
func TestALaterLookTellsTheLastUse(t *testing.T) {
	for _, told := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := newNodes(2).server(t, "app", 2, placement.Options{})
			began := time.Now()
			commit(t, c, id, nil, settings(time.Minute, time.Time{}))
			time.Sleep(66 * time.Second) // its time is over, as far as the nodes know
			used := began
			if told {
				used = began.Add(40 * time.Second)
			}
			_, err := c.LookAt(t.Context(), key(id), "", used)
			if found := err == nil; found != told {
				t.Fatalf("used 26 s ago: %v, told so: %v", err, told)
			}
			if !told {
				return
			}
			time.Sleep(time.Until(used.Add(55 * time.Second)))
			if _, err := c.LookAt(t.Context(), key(id), "", began); err != nil {
				t.Errorf("55 s after its last use: %v", err)
			}
			time.Sleep(time.Until(used.Add(time.Minute + placement.Grain(time.Minute) + 3*time.Second)))
			_, err = c.LookAt(t.Context(), key(id), "", began)
			wantError(t, "more than a minute after its last use", err, store.ErrNotFound)
		})
	}
}

// A session was stored while a node was away, which comes back when nobody has used it
// for a while: to write it there is no use.
func TestMendingIsNoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		c := all.server(t, "app", 2, placement.Options{})
		id, v := createAt(t, c, "n1")
		all[1].Kill()
		began := time.Now()
		commit(t, c, id, v, settings(time.Minute, time.Time{}))
		time.Sleep(50 * time.Second)
		all[1].Revive()
		time.Sleep(10 * time.Second)
		if stored(t, all[1].Client("looker"), key(id)) == nil {
			t.Error("it was not brought to the node that is back")
		}
		time.Sleep(time.Until(began.Add(time.Minute + placement.Grain(time.Minute) + 3*time.Second)))
		wantUnfound(t, c, id)
	})
}

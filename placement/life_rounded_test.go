package placement_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
)

// A wholeSeconds store tells the time that is left as memcached does: rounded up.
type wholeSeconds struct{ store.Store }

func (s wholeSeconds) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	item, err := s.Store.Get(ctx, key, part)
	item.TTL = (item.TTL + time.Second - 1).Truncate(time.Second)
	return item, err
}

// One node after the other loses the session and gets it again.
func TestToWriteASessionAgainLengthensNoLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		c, err := placement.New([]store.Node{
			{Name: "n1", Store: wholeSeconds{all[0].Client("app")}},
			{Name: "n2", Store: wholeSeconds{all[1].Client("app")}},
		}, placement.Options{Codec: newCodec(t), Timeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		began := time.Now()
		commit(t, c, id, nil, settings(6*time.Second, time.Time{}))
		for i := range 9 {
			time.Sleep(900 * time.Millisecond)
			all[i%2].Evict(key(id))
			if _, err := c.LookAt(t.Context(), key(id), "", began); err != nil && time.Since(began) < 6*time.Second {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		wantUnfound(t, c, id)
	})
}

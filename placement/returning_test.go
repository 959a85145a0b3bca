package placement_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// A node is asked again from some moment on. A session that ends just then may have
// been read without it, and be ended with it, or in any other order.
func TestANodeThatComesBackHearsOfAllThatEndsMeanwhile(t *testing.T) {
	ways := map[string]func(t *testing.T, c *placement.Cluster, i int, v *store.View){
		"renewed": func(t *testing.T, c *placement.Cluster, i int, v *store.View) {
			commit(t, c, numberedID(i), v, login("ada", numberedID(1000+i)))
		},
		"destroyed": func(t *testing.T, c *placement.Cluster, _ int, v *store.View) {
			if err := c.Destroy(t.Context(), v); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, end := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { endWhileANodeReturns(t, end) })
		})
	}
}

func endWhileANodeReturns(t *testing.T, end func(*testing.T, *placement.Cluster, int, *store.View)) {
	const sessions = 1000
	nodes := []*faultstore.Node{faultstore.New(), faultstore.New()}
	var list []store.Node
	for i, n := range nodes {
		n.Intercept(func(_ context.Context, _ faultstore.Call, next func() error) error {
			time.Sleep(3 * time.Millisecond)
			return next()
		})
		list = append(list, store.Node{Name: fmt.Sprint("n", i+1), Store: n.Client("app1")})
	}
	c, err := placement.New(list, placement.Options{Codec: newCodec(t), Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range sessions {
		create(t, c, numberedID(i))
	}
	nodes[1].Freeze()
	load(t, c, numberedID(0)) // finds out
	time.Sleep(time.Second)
	nodes[1].Thaw()
	began := time.Now()
	for i := range sessions {
		end(t, c, i, load(t, c, numberedID(i)))
	}
	if got := c.Nodes()[1].State; got != "up" {
		t.Fatalf("n2 is %s after %v: nothing ended when it came back", got, time.Since(began))
	}
	time.Sleep(5 * time.Second)
	for i := range sessions {
		if r := stored(t, list[1].Store, key(numberedID(i))); r == nil || r.Kind == record.Session {
			t.Errorf("session %d of %d has ended, and n2 does not know", i, sessions)
		}
	}
}

func numberedID(i int) string { return fmt.Sprintf("EXAMPLEEXAMPLEEXAMPLE2%04d", i) }

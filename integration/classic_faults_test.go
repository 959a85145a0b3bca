package integration

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/store"
)

// A proxy answers for a server that is away. That must not be taken for a word
// about an item.
func TestServerAwayBehindNutcracker(t *testing.T) {
	t.Parallel()
	server := servers.StartMemcached(t)
	s := openMemcached(t, servers.StartNutcracker(t, server.Addr).Addr, nil)
	v, err := s.Put(t.Context(), "k", store.Item{Value: []byte("before")}, store.Absent)
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(){"frozen": server.Freeze, "killed": server.Kill} {
		end()
		for range 5 {
			within(t, 200*time.Millisecond, func(ctx context.Context) {
				_, err := s.Get(ctx, "k", store.Whole)
				wantErr(t, err, store.ErrUnavailable)
				_, err = s.Put(ctx, "k", store.Item{Value: []byte(name)}, v)
				wantErr(t, err, store.ErrUnavailable)
				err = s.Delete(ctx, "k", v)
				wantErr(t, err, store.ErrUnavailable)
			})
		}
		if name == "frozen" {
			server.Thaw()
		} else {
			server.Start()
		}
		for {
			item, err := s.Get(t.Context(), "k", store.Whole)
			if errors.Is(err, store.ErrNotFound) {
				item, err = store.Item{}, nil
				item.Version, err = s.Put(t.Context(), "k", store.Item{Value: []byte("again")}, store.Absent)
			}
			if err == nil {
				v = item.Version
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// TestClassicNodesThatRestart: what was acknowledged is kept while one memcached
// after the other comes back empty, one of them behind a proxy that hides it.
func TestClassicNodesThatRestart(t *testing.T) {
	t.Parallel()
	caches := []*servers.Memcached{servers.StartMemcached(t), servers.StartMemcached(t)}
	nodes := "n1:" + withoutMeta(t, caches[0].Addr).Addr + " n2:" + servers.StartNutcracker(t, caches[1].Addr).Addr
	var apps []*appServer
	for _, name := range []string{"app1", "app2"} {
		app := newAppOf(t, commandPath(t), freeAddr(t), name, nodes)
		app.Start()
		apps = append(apps, app)
	}
	user := newBrowser()
	user.post(apps[0].url()+"/session", "x", "1").want(t, http.StatusOK)
	var kept, unsure atomic.Int64
	for round := range 4 {
		var work sync.WaitGroup
		for i := range 6 {
			tab := user.clone()
			work.Go(func() {
				for range 10 {
					if tab.post(apps[i%2].url()+"/counter/n").status == http.StatusOK {
						kept.Add(1)
					} else {
						unsure.Add(1)
					}
				}
			})
		}
		caches[round%2].Restart()
		work.Wait()
		kept.Add(changeUntilWhole(t, user, apps))
	}
	got := int64(user.get(apps[0].url() + "/counter/n").value(t))
	t.Logf("%d acknowledged, %d refused or unknown, %d found", kept.Load(), unsure.Load(), got)
	if got < kept.Load() || got > kept.Load()+unsure.Load() {
		t.Errorf("%d acknowledged and %d refused or unknown changes gave %d", kept.Load(), unsure.Load(), got)
	}
	if kept.Load() < 100 {
		t.Errorf("only %d changes were acknowledged: the test does not test it", kept.Load())
	}
}

// wholeTimeout is more than nodes ever need to be used again.
const wholeTimeout = time.Minute

// changeUntilWhole changes the session until each app server stores it on both
// nodes and finds nothing to repair. It returns how many changes were acknowledged.
func changeUntilWhole(t *testing.T, user *browser, apps []*appServer) (kept int64) {
	t.Helper()
	deadline := time.Now().Add(wholeTimeout)
	for whole := 0; whole < 5; whole++ {
		for _, app := range apps {
			before := statsOf(t, app)
			if user.post(app.url()+"/counter/n").status == http.StatusOK {
				kept++
			}
			time.Sleep(100 * time.Millisecond)
			if after := statsOf(t, app); after.Commits == before.Commits || after.Placement != before.Placement {
				whole = 0
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the session is not on both nodes again after %v", wholeTimeout)
		}
	}
	return kept
}

func statsOf(t *testing.T, app *appServer) (stats holdfast.Stats) {
	t.Helper()
	resp, err := http.Get(app.url() + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&stats); err != nil {
		t.Fatal(err)
	}
	return stats
}

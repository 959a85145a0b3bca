package integration

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestFrozenNodeCostsOneWaitForEachServer: promise 6. With two nodes and two
// copies one node hangs. Whatever each app server is asked then is answered, and
// what waited in vain for the node began before the server knew: of requests one
// after the other only the first, of parallel ones only those of one moment.
func TestFrozenNodeCostsOneWaitForEachServer(t *testing.T) {
	for _, frozen := range []int{0, 1} {
		t.Run(nodeName(frozen), func(t *testing.T) {
			f := startFarm(t, commandPath(t), 2, 3, "--operation-timeout", operationTimeout.String())
			users := make([]*browser, 64)
			for i := range users {
				users[i] = newBrowser()
				users[i].post(f.apps[0].url()+"/session", "user", fmt.Sprint(i)).want(t, http.StatusOK)
			}
			f.connect(t)
			f.nodes[frozen].Freeze()
			inTurn(f.apps[0], users).want(t, "one after the other", 1)
			inParallel(f.apps[0], users).want(t, "and then in parallel", 0)
			inParallel(f.apps[1], users).want(t, "in parallel", len(users))
			inTurn(f.apps[1], users).want(t, "and then one after the other", 0)
			inTurn(f.apps[2], users[:1]).want(t, "one alone", 1)
			inParallel(f.apps[2], users).want(t, "and then in parallel", 0)
		})
	}
}

// waits are how long requests took of which a node did not answer.
type waits struct {
	mu       sync.Mutex // guards what follows
	slow     int        // that waited for the node
	all      int
	longest  time.Duration
	statuses map[int]int
}

func (w *waits) add(took time.Duration, got answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all++
	w.longest = max(w.longest, took)
	if took > operationTimeout/4 {
		w.slow++
	}
	if w.statuses == nil {
		w.statuses = map[int]int{}
	}
	w.statuses[got.status]++
}

// want checks that all requests succeeded within the limit, and that no more
// than slow of them waited.
func (w *waits) want(t *testing.T, what string, slow int) {
	t.Helper()
	t.Logf("%-46s %2d requests, %2d slow, the longest took %v, statuses %v", what+":", w.all, w.slow, round(w.longest), w.statuses)
	if w.slow > slow || slow > 0 && w.slow == 0 {
		t.Errorf("%s: %d requests waited for the node that hangs, want at most %d, and some unless that is 0", what, w.slow, slow)
	}
	if w.statuses[http.StatusOK] != w.all {
		t.Errorf("%s: statuses %v, want %d times 200", what, w.statuses, w.all)
	}
	if w.longest > operationTimeout {
		t.Errorf("%s: one took %v, want at most the operation timeout of %v", what, w.longest, operationTimeout)
	}
}

// inTurn sends a request of each user, one after the other.
func inTurn(app *appServer, users []*browser) *waits {
	var w waits
	for i, user := range users {
		w.request(app, user, i)
	}
	return &w
}

// inParallel sends a request of each user, all at once.
func inParallel(app *appServer, users []*browser) *waits {
	var w waits
	var all sync.WaitGroup
	for i, user := range users {
		all.Go(func() { w.request(app, user, i) })
	}
	all.Wait()
	return &w
}

// request is a read or a change.
func (w *waits) request(app *appServer, user *browser, i int) {
	began := time.Now()
	var got answer
	if i%2 == 0 {
		got = user.post(app.url() + "/counter/n")
	} else {
		got = user.get(app.url() + "/session")
	}
	w.add(time.Since(began), got)
}

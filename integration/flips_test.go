package integration

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const (
	flips    = 1000 // of all users
	flippers = 8    // users at a time
	perFlip  = 4    // requests, in parallel
)

// TestFlipsLoseNothing: the balancer is not sticky. Each session goes to and fro between
// two servers that keep it in memory, with parallel requests that still have the cookie
// from before. What is counted in the end are the increments that were acknowledged.
func TestFlipsLoseNothing(t *testing.T) {
	for _, m := range []struct {
		name string
		mode mode
	}{{"synchronous backup", stickySync}, {"asynchronous backup", stickyAsync}} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			f := startFarm(t, commandPath(t), 2, 2, m.mode.flags...)
			var all sync.WaitGroup
			for range flippers {
				u := &flipper{t: t, farm: f, browser: newBrowser()}
				all.Go(u.flipToAndFro)
			}
			all.Wait()
			f.wantFlips(t)
		})
	}
}

// A flipper is a user whose requests go to one server after the other.
type flipper struct {
	*browser
	t     *testing.T
	farm  *farm
	id    string // the cookie up to the id's end
	acked atomic.Int64
}

func (u *flipper) flipToAndFro() {
	u.post(u.farm.apps[0].url()+"/session", "x", "1").want(u.t, http.StatusOK)
	u.id = u.jar()[:len(cookieName+"=")+26]
	u.waitUntilSent() // else no other server knows it
	for n := range flips / flippers {
		before := u.clone()
		var parallel sync.WaitGroup
		parallel.Go(func() { u.increment(u.browser, u.farm.apps[n%2]) })
		for range perFlip - 1 {
			parallel.Go(func() { u.increment(before.clone(), u.farm.apps[rand.IntN(2)]) })
		}
		parallel.Wait()
	}
	u.waitUntilSent()
	u.wantAll()
}

func (u *flipper) increment(as *browser, app *appServer) {
	named := strings.HasSuffix(as.jar(), "."+app.route)
	got := as.post(app.url()+"/counter/n").want(u.t, http.StatusOK)
	u.acked.Add(1)
	if !strings.HasPrefix(as.jar(), u.id) {
		u.t.Errorf("%s began another session for a request with a cookie", app.route)
	}
	if !named && got.cookie == nil {
		u.t.Errorf("%s took a session over and left its route out of the cookie", app.route)
	}
}

func (u *flipper) waitUntilSent() {
	for _, app := range u.farm.apps {
		waitFor(u.t, app.route+" to send what it holds", func() bool { return app.stats(u.t).Local.Unsent == 0 })
	}
}

// wantAll reads the counter on both servers.
func (u *flipper) wantAll() {
	for _, app := range u.farm.apps {
		other := u.clone()
		other.cookie = withRoute(other.jar(), "another")
		if got := other.get(app.url() + "/counter/n").value(u.t); got != u.acked.Load() {
			u.t.Errorf("the counter is %d on %s, want the %d that were acknowledged", got, app.route, u.acked.Load())
		}
	}
}

// wantFlips checks that the servers have noticed, or nothing was shown.
func (f *farm) wantFlips(t *testing.T) {
	t.Helper()
	var replays, seen uint64
	for _, app := range f.apps {
		s := app.stats(t)
		replays, seen = replays+s.Replays, seen+s.Local.Flips
	}
	t.Logf("%d flips were seen, %d changes replayed", seen, replays)
	if seen < flips/2 || replays == 0 {
		t.Errorf("%d flips were seen and %d changes replayed, want at least %d and some", seen, replays, flips/2)
	}
}

package integration

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/wire"
)

// The experiments that other session libraries fail: requests of one session
// that overlap, here on two app servers. A slow request is one that has loaded
// the session and waits, or has set its fields and waits, before it stores.

// slowTime is how long a slow request waits; what it is to overlap with must
// be over by then, on a busy machine too.
const slowTime = 1500 * time.Millisecond

// slow sends a slow request to the first app server in the background; see
// sendSlow.
func (c *cluster) slow(t *testing.T, b *browser, at string, fields ...string) (wait func() answer) {
	t.Helper()
	return sendSlow(t, c.a, []*wire.Proxy{c.line}, b, at, fields...)
}

// sendSlow sends a slow request to app in the background, and returns when the
// store has given it its session on all lines. wait waits for its answer, and
// fails the test if that is there already: then nothing has overlapped.
func sendSlow(t *testing.T, app *appServer, lines []*wire.Proxy, b *browser, at string, fields ...string) (wait func() answer) {
	t.Helper()
	var loaded []<-chan struct{}
	for _, line := range lines {
		loaded = append(loaded, line.Answered("mg"))
	}
	got := make(chan answer, 1)
	target := fmt.Sprintf("%s/slow?ms=%d&at=%s", app.url(), slowTime.Milliseconds(), at)
	go func() { got <- b.post(target, fields...) }()
	for _, answered := range loaded {
		select {
		case <-answered:
		case <-time.After(20 * time.Second):
			t.Fatal("the slow request does not load its session")
		}
	}
	return func() answer {
		select {
		case a := <-got:
			t.Errorf("the slow request was over before the test could overlap it: status %d, %v", a.status, a.err)
			return a
		default:
			return <-got
		}
	}
}

func TestOverlappingRequestsKeepDifferentAttributes(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"read", "write"} {
		t.Run("at="+at, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t)
			user := newBrowser()
			user.post(c.a.url()+"/session", "start", "0").want(t, http.StatusOK)
			slow := c.slow(t, user, at, "one", "1")
			user.post(c.b.url()+"/session", "two", "2").want(t, http.StatusOK)
			slow().want(t, http.StatusOK)
			got := user.get(c.b.url() + "/session").view(t).Attributes
			for name, want := range map[string]string{"start": "0", "one": "1", "two": "2"} {
				if got[name] != want {
					t.Errorf("attribute %s is %v, want %s", name, got[name], want)
				}
			}
		})
	}
}

func TestOneHundredIncrementsGiveOneHundred(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	user := newBrowser()
	user.post(c.a.url()+"/session", "start", "0").want(t, http.StatusOK)
	var (
		mu   sync.Mutex // guards seen
		seen = map[int64]int{}
		all  sync.WaitGroup
	)
	for worker := range 10 {
		app := c.apps()[worker%2]
		all.Go(func() {
			for range 10 {
				got := user.post(app.url() + "/counter/n")
				if got.want(t, http.StatusOK).status != http.StatusOK {
					continue
				}
				n := got.value(t)
				mu.Lock()
				seen[n]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for n := range int64(100) {
		if seen[n+1] != 1 {
			t.Errorf("%d was answered %d times, want once", n+1, seen[n+1])
		}
	}
	if got := user.get(c.b.url() + "/counter/n").value(t); got != 100 {
		t.Errorf("100 acknowledged increments gave %d", got)
	}
}

// TestReadNeverOverwritesAWrite: the request that only reads is a slow one
// without fields.
func TestReadNeverOverwritesAWrite(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	user := newBrowser()
	user.post(c.a.url()+"/session", "x", "old").want(t, http.StatusOK)
	reader := c.slow(t, user, "read")
	user.post(c.b.url()+"/session", "x", "new").want(t, http.StatusOK)
	reader().want(t, http.StatusOK)
	for _, app := range c.apps() {
		if got := user.get(app.url() + "/session").view(t).Attributes["x"]; got != "new" {
			t.Errorf("%s says %v, want new", app.route, got)
		}
	}
}

func TestLogoutStaysWhenARequestWasUnderWay(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"read", "write"} {
		t.Run("at="+at, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t)
			user := newBrowser()
			user.post(c.a.url()+"/login?user=alice").want(t, http.StatusOK)
			thief := user.clone()
			slow := c.slow(t, user, at, "x", "1")
			logout := user.post(c.b.url()+"/logout").want(t, http.StatusNoContent)
			if !logout.removes() {
				t.Error("the logout did not take the cookie away")
			}
			late := slow().want(t, http.StatusConflict)
			if late.cookie != nil && !late.removes() {
				t.Errorf("the late request set the cookie again: %v", late.cookie)
			}
			for _, app := range c.apps() {
				thief.clone().get(app.url()+"/session").want(t, http.StatusNotFound)
			}
		})
	}
}

// TestRenewalKeepsWhatIsUnderWay: a request that was under way during /renew
// is not logged out and its write is kept. The old id finds the session during
// the grace without getting a cookie, and nothing after it.
func TestRenewalKeepsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	user := newBrowser()
	user.post(c.a.url()+"/login?user=alice").want(t, http.StatusOK)
	old := user.clone() // a second window, still with the old id
	slow := c.slow(t, old, "read", "x", "1")
	renewed := user.post(c.b.url()+"/renew").want(t, http.StatusOK)
	began := time.Now()
	if renewed.cookie == nil || user.jar() == old.jar() {
		t.Fatalf("the renewal gave no new cookie: %v", renewed.cookie)
	}
	if late := slow().want(t, http.StatusOK); late.cookie != nil {
		t.Errorf("the request under way got a cookie: %v", late.cookie)
	}
	if got := user.get(c.b.url() + "/session").view(t); got.Attributes["x"] != "1" || got.Owner != "alice" {
		t.Errorf("the new id finds %+v, want alice's session with the write of the request under way", got)
	}
	grace := old.clone().get(c.a.url() + "/session")
	if got := grace.view(t); got.Attributes["x"] != "1" || grace.cookie != nil {
		t.Errorf("during the grace the old id finds %+v and gets the cookie %v, want the session and none", got, grace.cookie)
	}

	const renewGrace = 10 * time.Second // the library's default
	time.Sleep(time.Until(began.Add(renewGrace + 3*time.Second)))
	for _, app := range c.apps() {
		old.clone().get(app.url()+"/session").want(t, http.StatusNotFound)
	}
	user.get(c.a.url()+"/session").want(t, http.StatusOK)
}

// TestLoginFencesTheOldID: whoever planted or stole the id from before a login
// gains nothing, not even with a request that was under way.
func TestLoginFencesTheOldID(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"read", "write"} {
		t.Run("at="+at, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t)
			user := newBrowser()
			user.post(c.a.url()+"/session", "cart", "full").want(t, http.StatusOK)
			old := user.clone()
			slow := c.slow(t, old, at, "x", "1")
			user.post(c.b.url()+"/login?user=alice").want(t, http.StatusOK)
			slow().want(t, http.StatusConflict)
			for _, app := range c.apps() {
				found := old.clone().get(app.url()+"/session").want(t, http.StatusNotFound)
				if found.cookie != nil {
					t.Errorf("the old id got a cookie: %v", found.cookie)
				}
			}
			got := user.get(c.b.url() + "/session").view(t)
			if got.Owner != "alice" || got.Attributes["cart"] != "full" || got.Attributes["x"] != nil {
				t.Errorf("got %+v, want alice's session with its cart and without x", got)
			}
		})
	}
}

// One hundred requests at once, half of them at each server, of a session on two nodes.
func TestOneHundredParallelIncrementsGiveOneHundred(t *testing.T) {
	for name, m := range map[string]mode{"non-sticky": nonSticky, "sticky": stickySync} {
		t.Run(name, func(t *testing.T) {
			f := startFarm(t, commandPath(t), 2, 2, slices.Concat([]string{"--operation-timeout", "10s"}, m.flags)...)
			user := &browser{client: newClient(128)}
			user.post(f.apps[0].url()+"/session", "start", "0").want(t, http.StatusOK)
			var all sync.WaitGroup
			for i := range 100 {
				all.Go(func() { user.post(f.apps[i%2].url()+"/counter/n").want(t, http.StatusOK) })
			}
			all.Wait()
			if got := user.get(f.apps[1].url() + "/counter/n").value(t); got != 100 {
				t.Errorf("the counter is %d, want 100", got)
			}
		})
	}
}

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
	"github.com/holdfast-sessions/holdfast/integration/wire"
)

// What other session libraries do when the store fails: they wipe sessions, log
// users out, hang, or fail pages that need no session. Here is what holdfast
// does, with real processes.

// TestTransientErrorNeverWipesASession: one lost connection at any point of a
// request that changes the session.
func TestTransientErrorNeverWipesASession(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		name   string
		verb   string
		action wire.Action
	}{
		{"before the read", "mg", wire.ResetBefore},
		{"after the read", "mg", wire.ResetAfter},
		{"before the write", "ms", wire.ResetBefore},
		{"after the write", "ms", wire.ResetAfter},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t)
			user := newBrowser()
			user.post(c.a.url()+"/login?user=alice").want(t, http.StatusOK)
			before := user.post(c.a.url()+"/session", "cart", "full").view(t)

			c.line.Once(fault.verb, fault.action)
			during := user.post(c.a.url()+"/session", "x", "1")
			if during.status != http.StatusOK && during.status != http.StatusServiceUnavailable {
				t.Errorf("during the fault: status %d, %v, want 200 or 503", during.status, during.err)
			}
			if during.cookie != nil {
				t.Errorf("during the fault: cookie %v", during.cookie)
			}

			c.line.Mend()
			after := eventually(t, user, c.b.url()+"/session").view(t)
			if after.ID != before.ID || after.Owner != "alice" || after.Attributes["cart"] != "full" {
				t.Errorf("after the fault: %+v, want %+v", after, before)
			}
			if during.status == http.StatusOK && after.Attributes["x"] != "1" {
				t.Errorf("the change was acknowledged and is not there: %+v", after)
			}
		})
	}
}

// TestLostAnswersAreNotAppliedTwice loses the answer of every second write: the
// client cannot tell what became of it, and must still count each increment
// at most once, and those that it acknowledges exactly once.
func TestLostAnswersAreNotAppliedTwice(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	user := newBrowser()
	user.post(c.a.url()+"/session", "x", "1").want(t, http.StatusOK)
	seen := history.New()
	began := time.Now()
	for i := range 30 {
		if i%2 == 0 {
			c.line.Once("ms", wire.ResetAfter)
		}
		start := time.Since(began)
		got := user.post(c.apps()[i%3/2].url() + "/counter/n")
		span := history.Span{Start: start, End: time.Since(began)}
		if got.unknown() {
			seen.Increment("n", 0, span, history.Unknown)
			continue
		}
		seen.Increment("n", got.value(t), span, history.Accepted)
	}
	c.line.Mend()
	start := time.Since(began)
	final := eventually(t, user, c.b.url()+"/counter/n").value(t)
	seen.Count("n", final, history.Span{Start: start, End: time.Since(began)})
	if err := seen.Check(); err != nil {
		t.Error(err)
	}
}

// TestOutageLogsNobodyOut: while the store refuses, hangs, loses answers or is
// frozen, requests that need their session get a 503 within the time limit, all
// others work, and no cookie is touched. Afterwards all is as before.
func TestOutageLogsNobodyOut(t *testing.T) {
	t.Parallel()
	const limit = time.Second
	for _, outage := range []struct {
		name       string
		begin, end func(c *cluster)
	}{
		{"refused", func(c *cluster) { c.line.Cut() }, func(c *cluster) { c.line.Mend() }},
		{"hung", func(c *cluster) { c.line.Hang() }, func(c *cluster) { c.line.Mend() }},
		{"answers lost", func(c *cluster) { c.line.LoseAnswers() }, func(c *cluster) { c.line.Mend() }},
		{"frozen", func(c *cluster) { c.cache.Freeze() }, func(c *cluster) { c.cache.Thaw() }},
	} {
		t.Run(outage.name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, "--operation-timeout", limit.String())
			user, visitor := newBrowser(), newBrowser()
			user.post(c.a.url()+"/login?user=alice").want(t, http.StatusOK)
			before := user.get(c.a.url() + "/session").view(t)

			outage.begin(c)
			wantRefusals(t, limit, user, http.MethodGet, c.a.url()+"/session")
			wantRefusals(t, limit, user, http.MethodPost, c.b.url()+"/counter/n")
			wantRefusals(t, limit, visitor, http.MethodPost, c.a.url()+"/login?user=bob")
			user.get(c.a.url()+"/none").want(t, http.StatusOK)
			newBrowser().get(c.a.url()+"/none").want(t, http.StatusOK)
			newBrowser().get(c.a.url()+"/session").want(t, http.StatusNotFound)

			outage.end(c)
			for _, app := range c.apps() {
				after := eventually(t, user, app.url()+"/session").view(t)
				if after.ID != before.ID || after.Owner != "alice" {
					t.Errorf("after the outage: %+v, want %+v", after, before)
				}
			}
			user.post(c.b.url()+"/session", "x", "1").want(t, http.StatusOK)
		})
	}
}

// wantRefusals repeats a request whose session cannot be had. A busy machine
// may hold up one or the other, but not all.
func wantRefusals(t *testing.T, limit time.Duration, b *browser, method, target string) {
	t.Helper()
	fastest := time.Hour
	for range 3 {
		began := time.Now()
		wantRefusal(t, b, method, target)
		fastest = min(fastest, time.Since(began))
	}
	if fastest >= 2*limit {
		t.Errorf("%s %s takes at least %v, with an operation timeout of %v", method, target, fastest, limit)
	}
}

// wantRefusal sends a request whose session cannot be had.
func wantRefusal(t *testing.T, b *browser, method, target string) {
	t.Helper()
	got := b.do(method, target, "").want(t, http.StatusServiceUnavailable)
	if got.header.Get("Retry-After") == "" || !strings.Contains(got.body, `"error"`) {
		t.Errorf("%s %s: header %v, body %q, want Retry-After and an error", method, target, got.header, got.body)
	}
	if got.cookie != nil {
		t.Errorf("%s %s touched the cookie: %v", method, target, got.cookie)
	}
}

// eventually asks until the store can be used again. Anything but a 503 ends
// the waiting: above all a "no session".
func eventually(t *testing.T, b *browser, target string) answer {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		got := b.get(target)
		if got.removes() {
			t.Fatalf("GET %s took the cookie away", target)
		}
		if got.status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			return got
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestKilledStoreLogsNobodyOutUntilItIsBackEmpty: with one node a killed
// memcached takes the sessions with it. Until it answers again nobody can know
// that, and nobody is told so.
func TestKilledStoreLogsNobodyOutUntilItIsBackEmpty(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	users := make([]*browser, 100)
	for i := range users {
		users[i] = newBrowser()
		users[i].post(c.a.url()+"/login?user="+fmt.Sprint(i)).want(t, http.StatusOK)
	}
	c.cache.Kill()
	for i, user := range users {
		wantRefusal(t, user, http.MethodGet, c.apps()[i%2].url()+"/session")
	}
	c.cache.Start()
	for i, user := range users {
		eventually(t, user, c.apps()[i%2].url()+"/session").want(t, http.StatusNotFound)
		user.post(c.apps()[i%2].url()+"/login?user="+fmt.Sprint(i)).want(t, http.StatusOK)
	}
}

// TestRestartedStoreDoesNotRevive: the restart falls between the read and the
// write of a request. A version from before it must not match anything.
func TestRestartedStoreDoesNotRevive(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	user := newBrowser()
	user.post(c.a.url()+"/session", "x", "1").want(t, http.StatusOK)
	wait := c.slow(t, user, "read", "y", "1")
	c.cache.Restart()
	if got := wait(); got.status == http.StatusOK {
		t.Errorf("a change of a session that the restart took was acknowledged: %q", got.body)
	}
	eventually(t, user.clone(), c.b.url()+"/session").want(t, http.StatusNotFound)
}

func TestInventedIDIsNotAdopted(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	planted := newBrowser()
	planted.cookie = cookieName + "=" + strings.Repeat("A", 26)
	victim := planted.clone()
	victim.post(c.a.url()+"/login?user=alice").want(t, http.StatusOK)
	if strings.Contains(victim.jar(), strings.Repeat("A", 26)) {
		t.Error("the login adopted the invented id")
	}
	planted.get(c.b.url()+"/session").want(t, http.StatusNotFound)
}

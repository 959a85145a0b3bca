package integration

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/wire"
)

// TestWaitsAndCommandsWithTwoCopies is the table of waits and commands for two
// copies on two nodes, counted on the lines to both.
func TestWaitsAndCommandsWithTwoCopies(t *testing.T) {
	f := startFarm(t, commandPath(t), 2, 2)
	f.connect(t)
	user, stranger := f.settled(t), newBrowser()
	stranger.cookie = cookieName + "=" + strings.Repeat("A", 26) + "-n1"
	var thief *browser
	a, b := f.apps[0].url(), f.apps[1].url()

	f.wantSteps(t, []step{
		{"no cookie, session not used", func() answer { return newBrowser().get(a + "/none") }, 200, "0 waits"},
		{"no cookie, session read", func() answer { return newBrowser().get(a + "/session") }, 404, "0 waits"},
		{"cookie present, session not used", func() answer { return user.get(a + "/none") }, 200, "0 waits"},
		{"read", func() answer { return user.get(a + "/session") }, 200, "1 waits, mg 2"},
		{"read on the other server", func() answer { return user.get(b + "/session") }, 200, "1 waits, mg 2"},
		{"change", func() answer { return user.post(a+"/session", "x", "2") }, 200, "2 waits, mg 2, ms 2"},
		{"change on the other server", func() answer { return user.post(b + "/counter/n") }, 200, "2 waits, mg 2, ms 2"},
		{"new session", func() answer { return newBrowser().post(a+"/session", "x", "1") }, 200, "1 waits, ms 2"},
		{"renew: load and 2", func() answer { return user.post(a + "/renew") }, 200, "3 waits, mg 2, ms 4"},
		{"login: load and 2", func() answer { return user.post(a + "/login?user=ada") }, 200, "3 waits, mg 2, ms 4"},
		{"unknown id", func() answer { return stranger.clone().get(a + "/session") }, 404, "1 waits, mg 2"},
		{"unknown id again, soon", func() answer { return stranger.clone().get(a + "/session") }, 404, "0 waits"},
		{"destroy: load and 1", func() answer {
			thief = user.clone()
			return user.post(a + "/logout")
		}, 204, "2 waits, mg 2, ms 2"},
		{"destroyed id", func() answer { return thief.clone().get(a + "/session") }, 404, "1 waits, mg 2"},
	})
}

// TestWaitsAndCommandsWithThreeNodes: where a session is not known the third node
// is asked too, and a tombstone goes to all.
func TestWaitsAndCommandsWithThreeNodes(t *testing.T) {
	f := startFarm(t, commandPath(t), 3, 1)
	f.connect(t)
	user, stranger := f.settled(t), newBrowser()
	stranger.cookie = cookieName + "=" + strings.Repeat("A", 26) + "-n1"
	a := f.apps[0].url()

	f.wantSteps(t, []step{
		{"read", func() answer { return user.get(a + "/session") }, 200, "1 waits, mg 2"},
		{"change", func() answer { return user.post(a+"/session", "x", "2") }, 200, "2 waits, mg 2, ms 2"},
		{"new session", func() answer { return newBrowser().post(a+"/session", "x", "1") }, 200, "1 waits, ms 2"},
		{"renew: load and 2", func() answer { return user.post(a + "/renew") }, 200, "3 waits, mg 2, ms 4"},
		{"unknown id", func() answer { return stranger.clone().get(a + "/session") }, 404, "2 waits, mg 3"},
		{"unknown id again, soon", func() answer { return stranger.clone().get(a + "/session") }, 404, "0 waits"},
		{"destroy: load and 1", func() answer { return user.post(a + "/logout") }, 204, "2 waits, mg 2, ms 3"},
	})
}

// settled returns a browser whose session every app server has used, so that no
// life is to be extended soon.
func (f *farm) settled(t *testing.T) *browser {
	t.Helper()
	user := newBrowser()
	user.post(f.apps[0].url()+"/session", "x", "1").want(t, http.StatusOK)
	for _, app := range f.apps {
		user.get(app.url()+"/session").want(t, http.StatusOK)
	}
	return user
}

// A step is one request, and what it must cost.
type step struct {
	name   string
	do     func() answer
	status int
	want   string
}

func (f *farm) wantSteps(t *testing.T, steps []step) {
	t.Helper()
	for _, s := range steps {
		var got answer
		cost := wire.During(func() { got = s.do() }, f.lines...)
		t.Logf("%-36s %s", s.name, cost)
		if cost.String() != s.want {
			t.Errorf("%s: %s, want %s", s.name, cost, s.want)
		}
		if got.status != s.status {
			t.Errorf("%s: status %d %v %q, want %d", s.name, got.status, got.err, got.body, s.status)
		}
	}
}

// TestConflictWithTwoCopies lets a slow request meet a change of another.
func TestConflictWithTwoCopies(t *testing.T) {
	f := startFarm(t, commandPath(t), 2, 2)
	f.connect(t)
	user := f.settled(t)
	wait := sendSlow(t, f.apps[0], f.lines, user, "read", "y", "1")
	user.post(f.apps[1].url()+"/session", "z", "1").want(t, http.StatusOK)
	f.wantSteps(t, []step{
		{"the commit after a conflict", wait, 200, "3 waits, mg 2, ms 4"},
	})
}

// TestLifeIsExtendedOnBothNodesBehindTheRequest: one touch for each member, and
// the request waits for none of them.
func TestLifeIsExtendedOnBothNodesBehindTheRequest(t *testing.T) {
	t.Parallel()
	const idle = 32 * time.Second
	f := startFarm(t, commandPath(t), 2, 1, "--idle-timeout", idle.String())
	f.connect(t)
	user := f.settled(t)
	time.Sleep(idle/16 + time.Second)

	touched, release := make(chan string, 16), make(chan struct{})
	for i, line := range f.lines {
		line.Intercept(func(cmd wire.Command) wire.Action {
			if cmd.Verb == "mg" && cmd.Has('T') {
				touched <- nodeName(i)
				<-release // holds this command and what comes after it on the line
			}
			return wire.Forward
		})
	}
	user.get(f.apps[0].url()+"/session").want(t, http.StatusOK) // no touch can have been answered
	seen := map[string]bool{}
	for len(seen) < len(f.lines) {
		select {
		case node := <-touched:
			seen[node] = true
		case <-time.After(10 * time.Second):
			t.Fatalf("the read extended the session's life on %v only", seen)
		}
	}
	close(release)
	f.wantSteps(t, []step{
		{"the read after it", func() answer { return user.get(f.apps[0].url() + "/session") }, 200, "1 waits, mg 2"},
	})
	if len(touched) > 0 {
		t.Errorf("%d touches more than one for each node", len(touched))
	}
}

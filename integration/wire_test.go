package integration

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/wire"
)

// TestWaitsAndCommandsOfEachRequest is the table of waits (sequential round
// trips inside one request) and commands for one copy, counted on the wire.
func TestWaitsAndCommandsOfEachRequest(t *testing.T) {
	c := startCluster(t)
	user, stranger := newBrowser(), newBrowser()
	stranger.cookie = cookieName + "=" + strings.Repeat("A", 26) + "-n1"
	user.post(c.a.url()+"/session", "x", "1").want(t, http.StatusOK)
	for _, app := range c.apps() { // both are connected now, and have extended the session's life
		user.get(app.url()+"/session").want(t, http.StatusOK)
	}

	for _, row := range []struct {
		name   string
		do     func() answer
		status int
		want   string
	}{
		{"no cookie, session not used", func() answer { return newBrowser().get(c.a.url() + "/none") }, 200, "0 waits"},
		{"no cookie, session read", func() answer { return newBrowser().get(c.a.url() + "/session") }, 404, "0 waits"},
		{"cookie present, session not used", func() answer { return user.get(c.a.url() + "/none") }, 200, "0 waits"},
		{"read", func() answer { return user.get(c.a.url() + "/session") }, 200, "1 waits, mg 1"},
		{"read on the other server", func() answer { return user.get(c.b.url() + "/session") }, 200, "1 waits, mg 1"},
		{"change", func() answer { return user.post(c.a.url()+"/session", "x", "2") }, 200, "2 waits, mg 1, ms 1"},
		{"change on the other server", func() answer { return user.post(c.b.url() + "/counter/n") }, 200, "2 waits, mg 1, ms 1"},
		{"new session", func() answer { return newBrowser().post(c.a.url()+"/session", "x", "1") }, 200, "1 waits, ms 1"},
		{"renew: load and 2", func() answer { return user.post(c.a.url() + "/renew") }, 200, "3 waits, mg 1, ms 2"},
		{"login: load and 2", func() answer { return user.post(c.a.url() + "/login?user=ada") }, 200, "3 waits, mg 1, ms 2"},
		{"unknown id", func() answer { return stranger.clone().get(c.a.url() + "/session") }, 404, "1 waits, mg 1"},
		{"unknown id again, soon", func() answer { return stranger.clone().get(c.a.url() + "/session") }, 404, "0 waits"},
	} {
		var got answer
		step := c.line.During(func() { got = row.do() })
		if step.String() != row.want {
			t.Errorf("%s: %s, want %s", row.name, step, row.want)
		}
		if got.status != row.status {
			t.Errorf("%s: status %d %v %q, want %d", row.name, got.status, got.err, got.body, row.status)
		}
	}

	step := c.line.During(func() { user.post(c.a.url()+"/logout").want(t, http.StatusNoContent) })
	if load := step.Total("mg"); load > 1 || step.Total("ms") != 1 || step.Total() > load+1 || step.Waits > load+1 {
		t.Errorf("destroy: %s, want one ms, after the load if there is one", step)
	}
}

// TestConflictCostsAReadAndACommit lets a slow request meet a change of another.
func TestConflictCostsAReadAndACommit(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	user := newBrowser()
	user.post(c.a.url()+"/session", "x", "1").want(t, http.StatusOK)
	wait := c.slow(t, user, "read", "y", "1")
	user.post(c.b.url()+"/session", "z", "1").want(t, http.StatusOK)
	step := c.line.During(func() { wait().want(t, http.StatusOK) })
	if got, want := step.String(), "3 waits, mg 1, ms 2"; got != want {
		t.Errorf("the commit after a conflict took %s, want %s: refused, read again, stored", got, want)
	}
}

// TestLifeIsExtendedBehindTheRequest: a session in use is touched, at most
// once in a sixteenth of its idle timeout, and no request waits for that.
func TestLifeIsExtendedBehindTheRequest(t *testing.T) {
	t.Parallel()
	const idle = 64 * time.Second
	c := startCluster(t, "--idle-timeout", idle.String())
	user := newBrowser()
	user.post(c.a.url()+"/session", "x", "1").want(t, http.StatusOK)
	user.get(c.a.url()+"/session").want(t, http.StatusOK)
	time.Sleep(idle/16 + time.Second)

	touched, release := make(chan struct{}), make(chan struct{})
	touch := sync.OnceFunc(func() { close(touched) })
	c.line.Intercept(func(cmd wire.Command) wire.Action {
		if cmd.Verb == "mg" && cmd.Has('T') {
			touch()
			<-release // holds this command and what comes after it on the line
		}
		return wire.Forward
	})
	user.get(c.a.url()+"/session").want(t, http.StatusOK) // the touch cannot have been answered
	select {
	case <-touched:
	case <-time.After(10 * time.Second):
		t.Error("the read extended no life")
	}
	close(release)
	c.line.Intercept(nil)

	again := c.line.During(func() { user.get(c.a.url()+"/session").want(t, http.StatusOK) })
	if again.String() != "1 waits, mg 1" {
		t.Errorf("the read after it: %s, want the read alone", again)
	}
}

// TestUnusedSessionWaitsForNothing: requests that do not use their session are
// answered while the line to the store hangs.
func TestUnusedSessionWaitsForNothing(t *testing.T) {
	t.Parallel()
	const idle = 16 * time.Second
	c := startCluster(t, "--idle-timeout", idle.String(), "--operation-timeout", "20s")
	user := newBrowser()
	user.post(c.a.url()+"/session", "x", "1").want(t, http.StatusOK)
	time.Sleep(idle/16 + time.Second) // a touch is due
	c.line.Hang()
	began := time.Now()
	user.get(c.a.url()+"/none").want(t, http.StatusOK)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v: it waited for the store", took)
	}
}

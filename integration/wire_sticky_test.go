package integration

import (
	"strings"
	"testing"
)

// TestWaitsAndCommandsOfStickyServers is the table of waits and commands for sticky
// servers with two copies on two nodes, counted on the lines to both. What goes to the
// nodes behind a request is counted, and not as a wait.
func TestWaitsAndCommandsOfStickyServers(t *testing.T) {
	for _, mode := range []struct {
		name                 string
		flags                []string
		changed, begun       string // what they cost
		taken, unknown, late string
	}{
		{"synchronous", []string{"--sticky"}, "1 waits, ms 2", "1 waits, ms 2", "1 waits, mg 2", "1 waits, mg 2", "1 waits, mg 2"},
		{"asynchronous", []string{"--sticky", "--backup-async"}, "1 waits, ms 2", "1 waits, ms 2", "1 waits, mg 2", "1 waits, mg 2", "1 waits, mg 2"},
	} {
		t.Run(mode.name, func(t *testing.T) {
			f := startFarm(t, commandPath(t), 2, 2, mode.flags...)
			f.connect(t)
			user := newBrowser()
			a, b := f.apps[0].url(), f.apps[1].url()
			user.post(a+"/session", "x", "1").want(t, 200)
			user.get(a+"/session").want(t, 200)
			stranger := newBrowser()
			stranger.cookie = cookieName + "=" + strings.Repeat("A", 26) + "-n1.elsewhere"

			f.wantSteps(t, []step{
				{"no cookie, session not used", func() answer { return newBrowser().get(a + "/none") }, 200, "0 waits"},
				{"cookie present, session not used", func() answer { return user.get(a + "/none") }, 200, "0 waits"},
				{"read", func() answer { return user.get(a + "/session") }, 200, "0 waits"},
				{"change", func() answer { return user.post(a+"/session", "x", "2") }, 200, mode.changed},
				{"read after it", func() answer { return user.get(a + "/session") }, 200, "0 waits"},
				{"new session", func() answer { return newBrowser().post(a+"/session", "x", "1") }, 200, mode.begun},
				{"renew: 2", func() answer { return user.post(a + "/renew") }, 200, "2 waits, ms 4"},
				{"login: 2", func() answer { return user.post(a + "/login?user=ada") }, 200, "2 waits, ms 4"},
				{"take-over, read", func() answer { return user.get(b + "/session") }, 200, mode.taken},
				{"unknown id", func() answer { return stranger.clone().get(a + "/session") }, 404, mode.unknown},
				{"unknown id again, soon", func() answer { return stranger.clone().get(a + "/session") }, 404, mode.late},
				{"destroy on the server that took over", func() answer { return user.post(b + "/logout") }, 204, "2 waits, mg 2, ms 2"},
			})
		})
	}
}

package integration

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/integration/wire"
)

// TestClassicWaitsAndCommands is the table of waits and commands of a node
// without meta commands. The set of each change, the note of its end, is sent
// behind it: counted as a wait, though nobody waits for it.
func TestClassicWaitsAndCommands(t *testing.T) {
	f := startClassicFarm(t, 2)
	a, b := f.apps[0].url(), f.apps[1].url()
	user := newBrowser()
	user.post(a+"/session", "x", "1").want(t, http.StatusOK)
	for _, app := range f.apps {
		user.get(app.url()+"/session").want(t, http.StatusOK)
	}
	f.wantSteps(t, []step{
		{"read", func() answer { return user.get(a + "/session") }, 200, "1 waits, gets 1"},
		{"read on the other server", func() answer { return user.get(b + "/session") }, 200, "1 waits, gets 1"},
		{"change", func() answer { return user.post(a+"/session", "x", "2") }, 200, "3 waits, cas 1, gets 2, set 1"},
		{"change on the other server", func() answer { return user.post(b + "/counter/n") }, 200, "3 waits, cas 1, gets 2, set 1"},
		{"new session", func() answer { return newBrowser().post(a+"/session", "x", "1") }, 200, "2 waits, add 1, gets 1, set 1"},
		{"destroy: load and 1", func() answer { return user.post(a + "/logout") }, 204, "3 waits, cas 1, gets 2, set 1"},
	})
}

// TestProxiedWaitsAndCommands: a change behind a proxy reads once more, and waits
// for it.
func TestProxiedWaitsAndCommands(t *testing.T) {
	proxy := servers.StartNutcracker(t, servers.StartMemcached(t).Addr)
	f := &farm{lines: []*wire.Proxy{wire.Start(t, proxy.Addr)}}
	app := newAppOf(t, commandPath(t), freeAddr(t), "app1", f.lines[0].Addr)
	app.Start()
	a, user := app.url(), newBrowser()
	user.post(a+"/session", "x", "1").want(t, http.StatusOK)
	user.get(a+"/session").want(t, http.StatusOK)
	f.wantSteps(t, []step{
		{"read", func() answer { return user.get(a + "/session") }, 200, "1 waits, gets 1"},
		{"change", func() answer { return user.post(a+"/session", "x", "2") }, 200, "4 waits, cas 1, gets 3, set 1"},
		{"new session", func() answer { return newBrowser().post(a+"/session", "x", "1") }, 200, "2 waits, add 1, gets 1, set 1"},
	})
}

// TestClassicSessions: nothing that a session does needs meta commands. Lives are
// extended by reading, unused sessions end, parallel changes are all kept.
func TestClassicSessions(t *testing.T) {
	t.Parallel()
	const idle = 4 * time.Second
	nodes := "n1:" + withoutMeta(t, servers.StartMemcached(t).Addr).Addr +
		" n2:" + servers.StartNutcracker(t, servers.StartMemcached(t).Addr).Addr
	var apps []*appServer
	for _, name := range []string{"app1", "app2"} {
		app := newAppOf(t, commandPath(t), freeAddr(t), name, nodes, "--idle-timeout", idle.String())
		app.Start()
		apps = append(apps, app)
	}
	user, sleeper := newBrowser(), newBrowser()
	for _, b := range []*browser{user, sleeper} {
		b.post(apps[0].url()+"/session", "x", "1").want(t, http.StatusOK)
	}
	var clicks sync.WaitGroup
	for i := range 8 {
		tab := user.clone()
		clicks.Go(func() {
			for range 5 {
				tab.post(apps[i%2].url()+"/counter/n").want(t, http.StatusOK)
			}
		})
	}
	clicks.Wait()
	for end := time.Now().Add(2*idle + late); time.Now().Before(end); time.Sleep(idle / 8) {
		user.get(apps[1].url()+"/session").want(t, http.StatusOK)
	}
	sleeper.get(apps[0].url()+"/session").want(t, http.StatusNotFound)
	if got := user.get(apps[0].url() + "/counter/n").value(t); got != 40 {
		t.Errorf("40 parallel changes gave %d", got)
	}
	user.post(apps[1].url()+"/logout").want(t, http.StatusNoContent)
	user.clone().get(apps[0].url()+"/session").want(t, http.StatusNotFound)
}

// startClassicFarm is a farm of one node that knows no meta commands.
func startClassicFarm(t *testing.T, apps int) *farm {
	t.Helper()
	node := servers.StartMemcached(t)
	f := &farm{nodes: []*servers.Memcached{node}, lines: []*wire.Proxy{withoutMeta(t, node.Addr)}}
	for i := range apps {
		app := newAppOf(t, commandPath(t), freeAddr(t), []string{"app1", "app2"}[i], f.lines[0].Addr)
		app.Start()
		f.apps = append(f.apps, app)
	}
	return f
}

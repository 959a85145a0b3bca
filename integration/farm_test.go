package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/integration/wire"
)

// A farm is app servers on several memcached, with a proxy on the lines to each.
type farm struct {
	nodes []*servers.Memcached // n1, n2, …
	lines []*wire.Proxy        // by node
	apps  []*appServer         // app1, app2, …
}

// startFarm starts app servers that run the command at path.
func startFarm(t *testing.T, path string, nodes, apps int, flags ...string) *farm {
	t.Helper()
	f := &farm{}
	var list []string
	for i := range nodes {
		node := servers.StartMemcached(t)
		line := wire.Start(t, node.Addr)
		f.nodes, f.lines = append(f.nodes, node), append(f.lines, line)
		list = append(list, nodeName(i)+":"+line.Addr)
	}
	for i := range apps {
		app := newAppOf(t, path, freeAddr(t), fmt.Sprintf("app%d", i+1), strings.Join(list, " "), flags...)
		app.Start()
		f.apps = append(f.apps, app)
	}
	return f
}

func nodeName(i int) string { return fmt.Sprintf("n%d", i+1) }

// connect sees to it that every app server has a connection to every node: a
// tombstone goes to all of them.
func (f *farm) connect(t *testing.T) {
	t.Helper()
	for _, app := range f.apps {
		user := newBrowser()
		user.post(app.url()+"/session", "x", "1").want(t, http.StatusOK)
		user.post(app.url()+"/logout").want(t, http.StatusNoContent)
	}
}

// backends are the app servers as a balancer gets them.
func (f *farm) backends() (apps []backend) {
	for _, app := range f.apps {
		apps = append(apps, backend{app.route, app.addr})
	}
	return apps
}

// holdChanges keeps all changes from the nodes, which can be read meanwhile.
func (f *farm) holdChanges() {
	for _, line := range f.lines {
		line.Intercept(func(c wire.Command) wire.Action {
			if c.Verb == "ms" {
				return wire.Drop
			}
			return wire.Forward
		})
	}
}

// letChangesPass ends that. What was held is lost, unless its server sends it again.
func (f *farm) letChangesPass() {
	for _, line := range f.lines {
		line.Mend()
	}
}

package integration

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// A backend is an app server as the configuration of a balancer names it.
type backend struct{ Route, Addr string }

// A balancer is one that users may have in front of their app servers.
type balancer struct {
	name  string
	start func(t *testing.T, apps []backend) (addr string)
}

// byRoute are the balancers that send a session to the server that its cookie names.
var byRoute = []balancer{{"nginx", startNginxByRoute}, {"haproxy", startHAProxyByRoute}}

func startNginxByRoute(t *testing.T, apps []backend) string {
	t.Helper()
	return servers.StartNginx(t, filled(t, "nginx/sticky.conf", apps)).Addr
}

func startHAProxyByRoute(t *testing.T, apps []backend) string {
	t.Helper()
	return servers.StartHAProxy(t, filled(t, "haproxy/sticky.cfg", apps)).Addr
}

// startBalancer starts nginx with nginx/roundrobin.conf in front of apps.
func startBalancer(t *testing.T, apps ...string) *servers.Nginx {
	t.Helper()
	return servers.StartNginx(t, filled(t, "nginx/roundrobin.conf", routed(apps)))
}

// routed gives each address a route: app1, app2, ….
func routed(addrs []string) (apps []backend) {
	for i, addr := range addrs {
		apps = append(apps, backend{fmt.Sprintf("app%d", i+1), addr})
	}
	return apps
}

// filled is a configuration of the tree with the words in double braces filled in.
func filled(t *testing.T, file string, apps []backend) string {
	t.Helper()
	conf, err := template.New(filepath.Base(file)).Option("missingkey=error").Parse(content(t, file))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	fill := map[string]any{"Listen": freeAddr(t), "Cookie": cookieName, "Apps": apps}
	if err := conf.Execute(&out, fill); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

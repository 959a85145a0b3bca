package integration

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

const (
	clients  = 64
	sessions = 500
	requests = 20_000
	kills    = 12
)

// TestNoChangeIsLostWhenAppServersAreKilled puts 64 clients on 500 sessions,
// through nginx, to two app servers of which one after the other is killed
// with requests under way and replaced; then both are stopped and started at
// once. Whatever the clients were told must be explained by one register or
// counter for each attribute, and no session may be lost.
func TestNoChangeIsLostWhenAppServersAreKilled(t *testing.T) {
	cache := servers.StartMemcached(t).Addr
	apps := []*appServer{
		startApp(t, freeAddr(t), "app1", cache),
		startApp(t, freeAddr(t), "app2", cache),
	}
	balancer := startBalancer(t, apps[0].addr, apps[1].addr)
	l := newLoad(t, "http://"+balancer.Addr)

	stop := l.start()
	for i := range kills {
		l.waitForRequests((i + 1) * requests / (kills + 2))
		underWay := l.awaitInFlight(clients / 4)
		apps[i%2].Kill()
		if underWay < clients/4 {
			t.Errorf("kill %d: only %d requests were under way", i+1, underWay)
		}
		t.Logf("killed %s with %d requests under way", apps[i%2].route, underWay)
		route := fmt.Sprintf("app%d", i+3)
		apps[i%2] = startApp(t, apps[i%2].addr, route, cache)
	}
	l.waitForRequests((kills + 1) * requests / (kills + 2))
	restartAtOnce(t, apps)
	l.waitForRequests(requests)
	stop()

	l.readAll()
	t.Logf("%d requests: %d accepted, %d refused, %d unknown; %d kills", l.done.Load(), l.accepted.Load(), l.refused.Load(), l.unknown.Load(), kills)
	if l.accepted.Load() < requests*8/10 {
		t.Errorf("only %d of %d requests were accepted: this proves too little", l.accepted.Load(), l.done.Load())
	}
	if err := l.seen.Check(); err != nil {
		t.Error(firstLines(err.Error(), 30))
	}
}

// firstLines shortens a long verdict.
func firstLines(text string, n int) string {
	lines := strings.Split(text, "\n")
	if len(lines) <= n {
		return text
	}
	return fmt.Sprintf("%s\n… and %d lines more", strings.Join(lines[:n], "\n"), len(lines)-n)
}

func restartAtOnce(t *testing.T, apps []*appServer) {
	t.Helper()
	var stopping sync.WaitGroup
	for _, app := range apps {
		stopping.Go(func() {
			if err := app.Stop(); err != nil {
				t.Errorf("%s did not leave cleanly: %v", app.route, err)
			}
		})
	}
	stopping.Wait()
	for _, app := range apps {
		app.Start()
	}
}

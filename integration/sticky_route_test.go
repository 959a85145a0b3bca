package integration

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// The balancers of the tree send a session to the server that its cookie names.

// forEachBalancer runs test with each balancer by route in parallel.
func forEachBalancer(t *testing.T, test func(t *testing.T, start func(*testing.T, []backend) string)) {
	for _, b := range byRoute {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			test(t, b.start)
		})
	}
}

func TestRouteInTheCookieChoosesTheServer(t *testing.T) {
	forEachBalancer(t, func(t *testing.T, start func(*testing.T, []backend) string) {
		f := startFarm(t, commandPath(t), 1, 3)
		web := "http://" + start(t, f.backends())
		first := map[string]int{}
		for range 9 {
			user := newBrowser()
			server := user.post(web+"/session", "x", "1").view(t).Server
			first[server]++
			for range 4 {
				if got := user.get(web + "/session").view(t).Server; got != server {
					t.Errorf("%s answered, want %s, which the cookie names", got, server)
				}
			}
		}
		if len(first) != len(f.apps) {
			t.Errorf("sessions began at %v, want each server in turn", first)
		}
	})
}

func TestRouteIsFoundAmongOtherCookies(t *testing.T) {
	forEachBalancer(t, func(t *testing.T, start func(*testing.T, []backend) string) {
		f := startFarm(t, commandPath(t), 1, 3)
		web := "http://" + start(t, f.backends())
		user := newBrowser()
		home := user.post(f.apps[1].url()+"/session", "x", "1").view(t).Server
		session := user.jar()
		for _, cookies := range []string{
			"a=b.app1; " + session,
			session + "; z=y.app3",
			"a=b.app1; " + session + "; old" + session[:len(session)-1] + "3",
		} {
			user.cookie = cookies
			for range 4 {
				if got := user.get(web + "/session").view(t).Server; got != home {
					t.Errorf("with the cookies %q %s answered, want %s", hidden(cookies), got, home)
				}
			}
		}
	})
}

// hidden shortens the cookies of a message.
func hidden(cookies string) string {
	return strings.ReplaceAll(cookies, "session=", "session=…")[:24]
}

func TestRouteThatNoServerHasTakesTurns(t *testing.T) {
	forEachBalancer(t, func(t *testing.T, start func(*testing.T, []backend) string) {
		f := startFarm(t, commandPath(t), 1, 3)
		web := "http://" + start(t, f.backends())
		user := newBrowser()
		user.post(f.apps[0].url()+"/session", "x", "1").want(t, http.StatusOK)
		user.cookie = withRoute(user.jar(), "app9")
		seen := map[string]bool{}
		for range 9 {
			seen[user.clone().get(web+"/session").view(t).Server] = true
		}
		if len(seen) != len(f.apps) {
			t.Errorf("answers came from %v, want each server", seen)
		}
	})
}

// TestRouteOfADeadServerLeadsToAnother: no request fails for it, POSTs included,
// and a server that is back gets its users again.
func TestRouteOfADeadServerLeadsToAnother(t *testing.T) {
	forEachBalancer(t, func(t *testing.T, start func(*testing.T, []backend) string) {
		f := startFarm(t, commandPath(t), 1, 3)
		web := "http://" + start(t, f.backends())
		user := newBrowser()
		user.post(f.apps[0].url()+"/counter/n").want(t, http.StatusOK)
		f.apps[0].Kill()
		for want := range int64(10) {
			if got := user.post(web + "/counter/n").value(t); got != want+2 {
				t.Errorf("counter %d, want %d", got, want+2)
			}
		}
		f.apps[0].Start()
		eventuallyServes(t, user, web, "app1")
	})
}

// eventuallyServes waits until a server with that route answers. A balancer
// may need a second to see that it is back.
func eventuallyServes(t *testing.T, user *browser, web, route string) {
	t.Helper()
	user.cookie = withRoute(user.jar(), route)
	waitFor(t, "an answer of "+route, func() bool {
		return user.clone().get(web+"/session").view(t).Server == route
	})
}

// withRoute is a cookie that names another server.
func withRoute(cookie, route string) string {
	return cookie[:strings.LastIndexByte(cookie, '.')+1] + route
}

// waitFor waits until something is so, but not for ever.
func waitFor(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !isSo(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s in vain for %s", what)
		}
	}
}

// A request that a server took and left unanswered is given to the next one if it
// may be done twice, and never otherwise.
func TestBalancerByRouteSendsAPostOnce(t *testing.T) {
	forEachBalancer(t, func(t *testing.T, start func(*testing.T, []backend) string) {
		first, second := startSilent(t), startSilent(t)
		apps := routed([]string{first.addr, second.addr})
		web := "http://" + start(t, apps)
		for range 10 {
			user := newBrowser()
			user.cookie = cookieName + "=" + strings.Repeat("A", 26) + "-n1.app1"
			if got := user.post(web+"/counter/n", "x", "y"); !got.unknown() {
				t.Errorf("got status %d, want an unknown outcome", got.status)
			}
		}
		if got := first.requests.Load() + second.requests.Load(); got != 10 {
			t.Errorf("the servers got %d requests, want each of the 10 once", got)
		}
	})
}

func TestBalancerByRouteGivesAGetToTheNextServer(t *testing.T) {
	forEachBalancer(t, func(t *testing.T, start func(*testing.T, []backend) string) {
		dying := startSilent(t)
		well := startApp(t, freeAddr(t), "app2", servers.StartMemcached(t).Addr)
		web := "http://" + start(t, []backend{{"app1", dying.addr}, {"app2", well.addr}})
		user := newBrowser()
		user.cookie = cookieName + "=" + strings.Repeat("A", 26) + "-n1.app1"
		user.get(web+"/none").want(t, http.StatusOK)
	})
}

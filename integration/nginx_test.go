package integration

import (
	"testing"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

func TestBalancerTakesTurnsAndBothServersKnowTheSession(t *testing.T) {
	c := startCluster(t)
	balancer := "http://" + startBalancer(t, c.a.addr, c.b.addr).Addr
	user := newBrowser()
	first := user.post(balancer+"/session", "name", "Ada").view(t)
	seen := map[string]int{}
	for range 20 {
		v := user.get(balancer + "/session").view(t)
		if v.ID != first.ID || v.Attributes["name"] != "Ada" {
			t.Fatalf("got %+v, want the session of %+v", v, first)
		}
		seen[v.Server]++
	}
	if len(seen) != 2 {
		t.Errorf("answers came from %v, want both servers", seen)
	}
}

// TestBalancerSendsAPostOnce checks the line on proxy_next_upstream in the
// configuration: a request that a server took and left unanswered must not be
// given to the next one.
func TestBalancerSendsAPostOnce(t *testing.T) {
	first, second := startSilent(t), startSilent(t)
	balancer := "http://" + startBalancer(t, first.addr, second.addr).Addr
	for range 10 {
		if got := newBrowser().post(balancer+"/counter/n", "x", "y"); !got.unknown() {
			t.Errorf("got status %d, want an unknown outcome", got.status)
		}
	}
	if got := first.requests.Load() + second.requests.Load(); got != 10 {
		t.Errorf("the servers got %d requests, want each of the 10 once", got)
	}
}

func TestBalancerTriesARefusedPostOnTheOtherServer(t *testing.T) {
	a := startApp(t, freeAddr(t), "app1", servers.StartMemcached(t).Addr)
	balancer := "http://" + startBalancer(t, freeAddr(t), a.addr).Addr
	user := newBrowser()
	for want := range int64(10) {
		if got := user.post(balancer + "/counter/n").value(t); got != want+1 {
			t.Errorf("counter %d, want %d", got, want+1)
		}
	}
}

package integration

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/integration/wire"
)

// TestChangeStoredWithoutANodeSurvivesTheNextFault: while a node is away from one
// app server or from all, keeping its memory, changes are acknowledged without it.
// It comes back, there is time for repair, and then the other node dies.
func TestChangeStoredWithoutANodeSurvivesTheNextFault(t *testing.T) {
	t.Parallel()
	for _, away := range []struct {
		name       string
		begin, end func(p *partable)
	}{
		{"cut off from one app server", func(p *partable) { p.line.Cut() }, func(p *partable) { p.line.Mend() }},
		{"frozen", func(p *partable) { p.n2.Freeze() }, func(p *partable) { p.n2.Thaw() }},
	} {
		for _, used := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, sessions used before the next fault: %v", away.name, used), func(t *testing.T) {
				t.Parallel()
				p := startPartable(t)
				users := p.users(t)
				away.begin(p)
				for _, user := range users {
					user.post(p.apps[0].url()+"/session", "x", "new").want(t, http.StatusOK)
				}
				away.end(p)
				time.Sleep(6 * time.Second) // the node is used again after 2 s
				if used {
					p.read(t, users)
					time.Sleep(time.Second) // for what runs behind that
				}
				p.n1.Kill()
				p.wantNew(t, users)
			})
		}
	}
}

// A partable is two app servers on two memcached, with a proxy on the line from
// the first app server to the second node.
type partable struct {
	n1, n2 *servers.Memcached
	line   *wire.Proxy
	apps   [2]*appServer
}

func startPartable(t *testing.T) *partable {
	t.Helper()
	p := &partable{n1: servers.StartMemcached(t), n2: servers.StartMemcached(t)}
	p.line = wire.Start(t, p.n2.Addr)
	for i, second := range []string{p.line.Addr, p.n2.Addr} {
		nodes := fmt.Sprintf("n1:%s n2:%s", p.n1.Addr, second)
		p.apps[i] = newAppOf(t, commandPath(t), freeAddr(t), fmt.Sprintf("app%d", i+1), nodes, "--operation-timeout", operationTimeout.String())
		p.apps[i].Start()
	}
	return p
}

// users have sessions with x = old, about half of them with their home on n1.
func (p *partable) users(t *testing.T) []*browser {
	t.Helper()
	users := make([]*browser, 20)
	for i := range users {
		users[i] = newBrowser()
		users[i].post(p.apps[1].url()+"/session", "x", "old").want(t, http.StatusOK)
	}
	return users
}

// read has every user read on each app server.
func (p *partable) read(t *testing.T, users []*browser) {
	t.Helper()
	for _, user := range users {
		for _, app := range p.apps {
			user.get(app.url()+"/session").want(t, http.StatusOK)
		}
	}
}

func (p *partable) wantNew(t *testing.T, users []*browser) {
	t.Helper()
	lost := 0
	for _, user := range users {
		if got := eventually(t, user, p.apps[1].url()+"/session").view(t).Attributes["x"]; got != "new" {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged changes are lost", lost, len(users))
	}
}

package integration

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/integration/wire"
)

// TestChangeOfACutOffServerSurvivesTheNextFault: one app server of two cannot reach
// one node of two for a while, and is told that its change is stored. When it
// reaches the node again and the session has been read, the other node dies.
func TestChangeOfACutOffServerSurvivesTheNextFault(t *testing.T) {
	t.Parallel()
	const limit = time.Second
	n1, n2 := servers.StartMemcached(t), servers.StartMemcached(t)
	line := wire.Start(t, n2.Addr) // of the first app server
	apps := make([]*appServer, 2)
	for i, addr := range []string{line.Addr, n2.Addr} {
		nodes := fmt.Sprintf("n1:%s n2:%s", n1.Addr, addr)
		apps[i] = newAppOf(t, commandPath(t), freeAddr(t), fmt.Sprintf("app%d", i+1), nodes, "--operation-timeout", limit.String())
		apps[i].Start()
	}
	users := make([]*browser, 20) // about half have their home on n1
	for i := range users {
		users[i] = newBrowser()
		users[i].post(apps[1].url()+"/session", "x", "old").want(t, http.StatusOK)
	}

	line.Cut()
	for _, user := range users {
		user.post(apps[0].url()+"/session", "x", "new").want(t, http.StatusOK)
	}
	line.Mend()
	time.Sleep(5 * time.Second) // the node is used again after 2 s
	for _, user := range users {
		for _, app := range apps {
			user.get(app.url()+"/session").want(t, http.StatusOK)
		}
	}
	time.Sleep(time.Second) // for what runs behind the reads
	n1.Kill()

	lost := 0
	for _, user := range users {
		if got := eventually(t, user, apps[1].url()+"/session").view(t).Attributes["x"]; got != "new" {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged changes are lost", lost, len(users))
	}
}

package integration

import (
	"testing"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// A mode is how app servers keep sessions, and a balancer that fits.
type mode struct {
	flags    []string // of holdfast app
	async    bool     // app servers answer before a change is on the nodes
	balancer balancer
}

var (
	nonSticky   = mode{nil, false, balancer{"nginx", startRoundRobin}}
	stickySync  = mode{[]string{"--sticky"}, false, byRoute[0]}
	stickyAsync = mode{[]string{"--sticky", "--backup-async"}, true, byRoute[1]}
)

func startRoundRobin(t *testing.T, apps []backend) string {
	t.Helper()
	return servers.StartNginx(t, filled(t, "nginx/roundrobin.conf", apps)).Addr
}

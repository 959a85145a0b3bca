package drill

import (
	"strings"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// serverFor is the number of the server that a balancer sends a request with this
// cookie to, or anyServer.
func serverFor(m rig.Mode, cookie string) int {
	_, route, _ := strings.Cut(cookie, ".")
	for i := range size {
		if m.Sticky && route == serverName(i) {
			return i
		}
	}
	return anyServer
}

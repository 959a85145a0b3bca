package drill

import (
	"strings"

	"github.com/holdfast-sessions/holdfast"
)

// A mode is how app servers keep sessions.
type mode struct {
	name   string
	sticky bool // in their memory: each goes to the server that its cookie names
	async  bool // they answer before a change is on the nodes
}

var (
	nonSticky   = mode{"non_sticky", false, false}
	stickySync  = mode{"sticky_sync", true, false}
	stickyAsync = mode{"sticky_async", true, true}
)

// options are those of an app server.
func (m mode) options(route string, copies int) *holdfast.Options {
	return &holdfast.Options{
		Sticky: m.sticky, BackupAsync: m.async, Copies: copies, Route: route,
		Cookie: holdfast.Cookie{AllowInsecure: true}, OperationTimeout: patience,
	}
}

// serverFor is the number of the server that a balancer sends a request with this
// cookie to, or anyServer.
func (m mode) serverFor(cookie string) int {
	_, route, _ := strings.Cut(cookie, ".")
	for i := range size {
		if m.sticky && route == serverName(i) {
			return i
		}
	}
	return anyServer
}

package staging

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// pick is the app server that a balancer sends a request with this cookie to: in
// sticky mode the one that the cookie names, else any. Those in vain are left out, and
// those that hang and have been found out. Nil: none is left.
func (c *cluster) pick(cookie string, vain []*server) *server {
	fit := slices.DeleteFunc(slices.Clone(c.servers), func(s *server) bool { return s.down.Load() || slices.Contains(vain, s) })
	if len(fit) == 0 {
		return nil
	}
	route := cookie[strings.LastIndexByte(cookie, '.')+1:]
	for _, s := range fit {
		if c.Mode.Sticky && s.Name == route {
			return s
		}
	}
	return fit[rand.IntN(len(fit))]
}

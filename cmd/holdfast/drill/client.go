package drill

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/ledger"
)

// A client sends one request after the other, as a balancer would spread them.
type client struct {
	drill      *drill
	number, of int // which one of how many that share the sessions
	http       *http.Client
	next       int   // server
	notes      int64 // set so far

	took   []time.Duration // by each request
	failed int
}

func newClient(d *drill, number, of int) *client {
	return &client{
		drill: d, number: number, of: of, next: number,
		http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2}},
	}
}

const anyServer = -1

// send sends a request to the server with that number. To anyServer is to the one
// that the cookie names if the mode is sticky, else to one after the other; and then to
// another when it did not reach that one.
func (c *client) send(method, path, cookie string, server int) ledger.Reply {
	c.drill.underWay.Add(1)
	defer c.drill.underWay.Add(-1)
	start := time.Now()
	r := c.deliver(method, path, cookie, server)
	c.took = append(c.took, time.Since(start))
	if r.Outcome == ledger.Refused || r.Outcome == ledger.Unknown {
		c.failed++
	}
	return r
}

func (c *client) deliver(method, path, cookie string, server int) ledger.Reply {
	for n := range 2 * size {
		at := server
		if at == anyServer && n == 0 {
			at = serverFor(c.drill.site.mode, cookie)
		}
		r, err := ledger.Ask(c.http, method, "http://"+c.address(at)+path, cookie)
		switch {
		case err == nil:
			return r
		case method == http.MethodGet || ledger.NeverSent(err):
		default:
			return outcome(ledger.Unknown)
		}
	}
	return outcome(ledger.Refused)
}

func outcome(o ledger.Outcome) ledger.Reply { return ledger.Reply{Answer: ledger.Answer{Outcome: o}} }

func (c *client) address(server int) string {
	if server == anyServer {
		c.next++
		server = c.next % size
	}
	return c.drill.site.servers[server].Address
}

// work loads the site until ctx ends. A client that had to wait rests as long:
// too much load for this machine would be another fault, of all nodes at a time.
func (c *client) work(ctx context.Context) {
	for waited := time.Duration(0); pause(ctx, rand.N(2*meanRest)+waited) == nil; {
		start := time.Now()
		c.step()
		waited = time.Since(start)
	}
}

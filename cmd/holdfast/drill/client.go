package drill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
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

// A reply is an answer with the cookie that came with it.
type reply struct {
	answer
	cookie string
}

const (
	cookieName = "session"
	anyServer  = -1
)

// send sends a request to the server with that number. To anyServer is to the one
// that the cookie names if the mode is sticky, else to one after the other; and then to
// another when it did not reach that one.
func (c *client) send(method, path, cookie string, server int) reply {
	c.drill.ledger.underWay.Add(1)
	defer c.drill.ledger.underWay.Add(-1)
	start := time.Now()
	r := c.deliver(method, path, cookie, server)
	c.took = append(c.took, time.Since(start))
	if r.Outcome == refused || r.Outcome == unknown {
		c.failed++
	}
	return r
}

func (c *client) deliver(method, path, cookie string, server int) reply {
	for n := range 2 * size {
		at := server
		if at == anyServer && n == 0 {
			at = c.drill.site.mode.serverFor(cookie)
		}
		r, err := c.try(method, path, cookie, c.address(at))
		switch {
		case err == nil:
			return r
		case method == http.MethodGet || neverSent(err):
		default:
			return reply{answer: answer{Outcome: unknown}}
		}
	}
	return reply{answer: answer{Outcome: refused}}
}

func (c *client) address(server int) string {
	if server == anyServer {
		c.next++
		server = c.next % size
	}
	return c.drill.site.servers[server].address
}

func neverSent(err error) bool {
	failure, ok := errors.AsType[*net.OpError](err)
	return ok && failure.Op == "dial"
}

func (c *client) try(method, path, cookie, address string) (r reply, err error) {
	// Not the drill's context: a request whose client leaves tells nothing.
	req, err := http.NewRequestWithContext(context.Background(), method, "http://"+address+path, nil)
	if err != nil {
		return r, err
	}
	if cookie != "" {
		req.AddCookie(&http.Cookie{Name: cookieName, Value: cookie})
	}
	res, err := c.http.Do(req)
	if err != nil {
		return r, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&r.answer); err != nil {
		return r, fmt.Errorf("%s: %w", res.Status, err)
	}
	for _, cookie := range res.Cookies() {
		if cookie.Name == cookieName && cookie.MaxAge >= 0 {
			r.cookie = cookie.Value
		}
	}
	return r, nil
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

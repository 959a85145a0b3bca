package drill

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/ledger"
)

// What the clients do.

const (
	meanRest    = 20 * time.Millisecond // between two requests of a client, at least
	hotSessions = 8                     // get half of all increments
	tries       = 10                    // of a request that has to succeed
	retryAfter  = 200 * time.Millisecond
)

// step is one request, or a logout and login.
func (c *client) step() {
	switch p := rand.IntN(100); {
	case p < 25:
		c.add(rand.IntN(hotSessions))
	case p < 50:
		c.add(rand.IntN(sessionCount))
	case p < 62:
		c.setNote(c.anyOwn())
	case p < 95:
		c.read(c.session(rand.IntN(sessionCount)), anyServer)
	case p < 96:
		c.leave(c.anyOwn())
	default:
		c.haunt()
	}
}

func (c *client) session(i int) *ledger.Session { return c.drill.ledger.Current(i) }

// own yields this client's part of the places. Only it begins and ends the
// sessions there, and sets their notes.
func (c *client) own(yield func(int) bool) {
	for i := c.number; i < sessionCount && yield(i); i += c.of {
	}
}

func (c *client) anyOwn() int {
	var mine []int
	for i := range c.own {
		mine = append(mine, i)
	}
	return mine[rand.IntN(len(mine))]
}

func (c *client) beginAll() {
	for i := range c.own {
		c.begin(i)
	}
}

// begin begins a session in place i. One that it may have begun without learning
// its id counts for nothing.
func (c *client) begin(i int) {
	for range tries {
		sent := time.Now()
		if r := c.send(http.MethodPost, "/begin", "", anyServer); r.Outcome == ledger.Done && r.Cookie != "" {
			c.drill.ledger.Open(i, r.Cookie, sent)
			return
		}
	}
}

func (c *client) add(i int) { c.change(c.session(i), "/add", 1, 0) }

func (c *client) setNote(i int) {
	if c.session(i).IsOver() {
		c.begin(i)
		return
	}
	c.notes++
	c.change(c.session(i), fmt.Sprintf("/note?n=%d", c.notes), 0, c.notes)
}

func (c *client) change(s *ledger.Session, path string, adds, note int64) {
	p := s.Present(adds, note)
	s.Learn(p, c.send(http.MethodPost, path, p.Cookie, anyServer), adds, note)
}

func (c *client) read(s *ledger.Session, server int) ledger.Outcome {
	p := s.Present(0, 0)
	r := c.send(http.MethodGet, "/read", p.Cookie, server)
	s.Learn(p, r, 0, 0)
	return r.Outcome
}

// leave logs out and in again.
func (c *client) leave(i int) {
	s := c.session(i)
	s.Leave()
	for range tries {
		switch c.send(http.MethodPost, "/logout", s.Present(0, 0).Cookie, anyServer).Outcome {
		case ledger.Done:
			c.drill.ledger.Close(s)
			c.begin(i)
			return
		case ledger.Gone: // by an earlier try, of which the client was told nothing
			c.begin(i)
			return
		case ledger.Refused, ledger.Unknown:
		}
	}
}

// haunt comes with the cookie of a session that was ended.
func (c *client) haunt() {
	if s := c.drill.ledger.AnyEnded(); s != nil {
		if rand.IntN(2) == 0 {
			c.change(s, "/add", 1, 0)
			return
		}
		c.read(s, anyServer)
	}
}

// readPatiently lets some time pass between its tries: on a machine that has too much to
// do a server takes a node for lost, and asks it again a moment later.
func (c *client) readPatiently(s *ledger.Session, server int) ledger.Outcome {
	for range tries {
		if is := c.read(s, server); is != ledger.Refused {
			return is
		}
		time.Sleep(retryAfter)
	}
	return ledger.Refused
}

// useOwn uses this client's part of the sessions so that they lie on all nodes that
// they should. If servers have them in memory only a change reaches the nodes.
func (c *client) useOwn() {
	c.readOwn(anyServer)
	for i := range c.own {
		if c.drill.mode.Sticky {
			c.change(c.session(i), "/add/at-once", 1, 0)
		}
	}
}

// readOwn reads this client's part of the sessions, and of those that were ended,
// on one server.
func (c *client) readOwn(server int) {
	for i := range c.own {
		s := c.session(i)
		s.SetUnreadable(c.readPatiently(s, server) == ledger.Refused)
	}
	for _, s := range c.drill.ledger.EndedBy(c.number, c.of) {
		c.read(s, server)
	}
}

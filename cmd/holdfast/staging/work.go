package staging

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// What the clients do.

const (
	clientCount  = 24
	sessionCount = 48 // that the clients share
	hotSessions  = 6  // get a third of all requests
	meanRest     = 50 * time.Millisecond
	mostRest     = 5 * meanRest
	counter      = "hits"
)

func registers() []string { return []string{"color", "size", "cart"} }

// A client sends one request after the other.
type client struct {
	*check
}

// work goes on until ctx ends. A client that had to wait rests about as long: too much
// load for this machine would be another fault, of all servers at a time.
func (c *client) work(ctx context.Context) {
	for waited := time.Duration(0); pause(ctx, rand.N(2*meanRest)+waited) == nil; {
		start := time.Now()
		c.step()
		waited = min(time.Since(start), mostRest)
	}
}

// step does one thing with one session.
func (c *client) step() {
	at := rand.IntN(sessionCount)
	if rand.IntN(3) == 0 {
		at = rand.IntN(hotSessions)
	}
	s := c.places.session(at)
	switch p := rand.IntN(100); {
	case s == nil || s.isOver() || c.drop(s):
		c.places.replace(at, s, c.begin())
	case p < 34:
		c.read(s, s.present(c.now))
	case p < 54:
		c.set(s, registers()[rand.IntN(len(registers()))])
	case p < 60:
		c.remove(s, registers()[rand.IntN(len(registers()))])
	case p < 82:
		c.update(s, s.present(c.now))
	case p < 88:
		c.inParallel(s)
	case p < 90:
		c.change(s, history.Login)
	case p < 93:
		c.change(s, history.Renew)
	case p < 95:
		c.change(s, history.Logout)
	default:
		c.haunt(s)
	}
}

// inParallel has several requests of one session meet, at several servers if the mode
// lets them.
func (c *client) inParallel(s *session) {
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			if i%2 == 0 {
				c.update(s, s.present(c.now))
				return
			}
			c.set(s, registers()[i/2])
		})
	}
	all.Wait()
}

// haunt comes with an id that was the session's before, or that of one that was ended.
func (c *client) haunt(s *session) {
	if p := s.presentFormer(c.now); p.cookie != "" && rand.IntN(2) == 0 {
		c.either(s, p)
		return
	}
	if gone := c.places.anyGone(); gone != nil {
		c.either(gone, gone.present(c.now))
	}
}

func (c *check) either(s *session, p presented) {
	if rand.IntN(3) == 0 {
		c.update(s, p)
		return
	}
	c.read(s, p)
}

// begin returns a session with its first change, or nil. One that may have begun
// without the client learning its id counts for nothing.
func (c *check) begin() *session {
	s := &session{name: fmt.Sprintf("s%d", c.names.Add(1))}
	key, value := registers()[0], c.value()
	first := request{method: http.MethodPost, path: "/session", form: url.Values{key: {value}}.Encode()}
	op := c.do(s, s.present(c.now), history.Op{Kind: history.Begin}, first)
	if op.Outcome != history.Accepted {
		return nil
	}
	op.Kind, op.Key, op.Value = history.Set, key, value
	c.seen.Add(op)
	return s
}

// drop gives up a session that may rightly be gone, so that nobody could tell what its
// absence means.
func (c *check) drop(s *session) bool {
	if !s.doubtful(c.now(), c.struck.Load()) {
		return false
	}
	s.end()
	return true
}

func (c *check) read(s *session, p presented) history.Op {
	return c.do(s, p, history.Op{Kind: history.Read}, request{method: http.MethodGet, path: "/session"})
}

func (c *check) set(s *session, key string) {
	value := c.value()
	form := url.Values{key: {value}}.Encode()
	c.do(s, s.present(c.now), history.Op{Kind: history.Set, Key: key, Value: value}, request{method: http.MethodPost, path: "/session", form: form})
}

func (c *check) remove(s *session, key string) {
	c.do(s, s.present(c.now), history.Op{Kind: history.Delete, Key: key}, request{method: http.MethodDelete, path: "/session/" + key})
}

func (c *check) update(s *session, p presented) {
	c.do(s, p, history.Op{Kind: history.Update, Key: counter}, request{method: http.MethodPost, path: "/counter/" + counter})
}

// change gives the session another id, or ends it. One at a time: of two that meet
// nobody could tell which id is the newest.
func (c *check) change(s *session, kind history.Kind) {
	if !s.changing.TryLock() {
		return
	}
	defer s.changing.Unlock()
	if s.isOver() {
		return
	}
	op, r := history.Op{Kind: kind}, request{method: http.MethodPost, path: "/" + string(kind)}
	if kind == history.Login {
		op.Value = "u" + c.value()
		r.path += "?user=" + op.Value
	}
	switch op = c.do(s, s.present(c.now), op, r); {
	case op.Outcome == history.Unknown, op.Missing:
		s.end() // and nobody knows its id
	case op.Outcome == history.Accepted && kind == history.Logout:
		s.end()
		c.places.addGone(s)
	}
}

package holdfast_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// Random faults under load, one at a time, each repaired before the next. Every
// call takes a random time there and back, so that requests meet everywhere.

var notesKey = holdfast.NewKey[[]int]("notes")

// A customer is one session, used by several requests at the same time. Each
// request that writes, writes a number of its own.
type customer struct {
	s       *scene
	browser *holdfasttest.SiteClient

	mu     sync.Mutex // guards all below
	last   int        // note
	acked  []int
	orphan bool           // nobody knows the session's id
	counts map[string]int // of answers, by path and status

	cookies []string // that were set
}

// notebook is the program of the drill.
func notebook() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/note", func(_ http.ResponseWriter, r *http.Request) {
		var n int
		fmt.Sscan(r.FormValue("n"), &n)
		notesKey.Update(holdfast.From(r.Context()), func(all *[]int) error { *all = append(*all, n); return nil })
	})
	mux.HandleFunc("/renew", func(_ http.ResponseWriter, r *http.Request) { holdfast.From(r.Context()).Renew() })
	mux.HandleFunc("/logout", func(_ http.ResponseWriter, r *http.Request) { holdfast.From(r.Context()).Destroy() })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		all, _ := notesKey.Get(holdfast.From(r.Context()))
		json.NewEncoder(w).Encode(all)
	})
	return mux
}

var drills = flag.Uint64("drills", 2, "random drills for each number of nodes; 200 take some minutes")

func TestClusterKeepsItsPromisesUnderRandomFaults(t *testing.T) {
	for _, nodes := range []int{2, 3} {
		for seed := range *drills {
			t.Run(fmt.Sprintf("%d nodes, seed %d", nodes, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { drill(t, nodes, rand.New(rand.NewPCG(seed, 0))) })
			})
		}
	}
}

const (
	drillFaults = 5
	customers   = 3
	workers     = 4 // requests of one customer at the same time

	busy = 100 * time.Millisecond
	calm = 10 * time.Second
)

func drill(t *testing.T, nodes int, dice *rand.Rand) {
	s := newScene(t, 3, nodes)
	s.Handle(notebook())
	var pace atomic.Int64 // the longest pause between two requests of a worker
	pace.Store(int64(busy))
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var all []*customer
	for range customers {
		c := newCustomer(s)
		all = append(all, c)
		for range workers {
			load.Go(func() { c.work(ctx, &pace) })
		}
	}
	s.delayCalls()
	for range drillFaults {
		pace.Store(int64(busy))
		time.Sleep(time.Second)
		back := s.randomFault(dice)
		time.Sleep(time.Duration(1+dice.IntN(3)) * time.Second)
		if dice.IntN(3) == 0 { // so long that a node counts as lost
			pace.Store(int64(calm))
			time.Sleep(2 * time.Minute)
			pace.Store(int64(busy))
		}
		back()
		time.Sleep(2 * time.Second)
		pace.Store(int64(calm))
		time.Sleep(time.Minute)
		for _, c := range all {
			c.look(s.servers[dice.IntN(len(s.servers))])
		}
	}
	stop()
	load.Wait()
	s.disarm()
	for _, c := range all {
		c.finish()
	}
}

// delayCalls lets every call take a moment there and back.
func (s *scene) delayCalls() {
	for _, node := range s.nodes {
		s.Node(node).Intercept(func(ctx context.Context, _ faultstore.Call, next func() error) error {
			moment(ctx, 2*time.Millisecond)
			defer moment(ctx, 2*time.Millisecond)
			return next()
		})
	}
}

func moment(ctx context.Context, most time.Duration) {
	select {
	case <-time.After(rand.N(most)):
	case <-ctx.Done():
	}
}

// randomFault returns what ends the fault.
func (s *scene) randomFault(dice *rand.Rand) (back func()) {
	names := []string{"app server"}
	for name := range aNodeFails {
		names = append(names, name)
	}
	slices.Sort(names)
	name := names[dice.IntN(len(names))]
	if name == "app server" {
		server := s.servers[dice.IntN(len(s.servers))]
		s.t.Logf("%v: %s dies", time.Now().Format(time.TimeOnly), server)
		s.KillServer(server)
		return func() { s.ReviveServer(server) }
	}
	node := s.nodes[dice.IntN(len(s.nodes))]
	s.t.Logf("%v: %s %s", time.Now().Format(time.TimeOnly), node, name)
	aNodeFails[name].fault(s, node)
	return func() { aNodeFails[name].back(s, node) }
}

func newCustomer(s *scene) *customer {
	c := &customer{s: s, browser: s.Client(), counts: make(map[string]int)}
	wantStatus(s.t, c.get(s.servers[0], "/note?n=0"), http.StatusOK)
	c.acked = []int{0}
	return c
}

// get counts the statuses, and wants no request to wait longer than promised.
func (c *customer) get(server, path string) *httptest.ResponseRecorder {
	c.s.t.Helper()
	began := time.Now()
	w := c.browser.On(server).Get(path)
	if took := time.Since(began); took > operationTimeout+10*time.Millisecond { // the last call's way back
		c.s.t.Errorf("%s on %s waited %v", path, server, took)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	verb, _, _ := strings.Cut(path, "?")
	c.counts[fmt.Sprint(verb, " ", w.Code)]++
	for _, cookie := range w.Result().Cookies() {
		c.cookies = append(c.cookies, cookie.Value)
	}
	return w
}

func (c *customer) work(ctx context.Context, pace *atomic.Int64) {
	for ctx.Err() == nil {
		server := c.s.servers[rand.IntN(len(c.s.servers))]
		switch dice := rand.IntN(100); {
		case dice < 3:
			c.renew(server)
		case dice < 50:
			c.note(server)
		default:
			c.look(server)
		}
		moment(ctx, time.Duration(pace.Load()))
	}
}

// renew may lose the session: when the app server dies after it, the new id dies
// with the answer, and the former one with its grace.
func (c *customer) renew(server string) {
	w := c.get(server, "/renew")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orphan = c.orphan || w.Code == http.StatusBadGateway
}

func (c *customer) note(server string) {
	c.mu.Lock()
	c.last++
	n := c.last
	c.mu.Unlock()
	w := c.get(server, fmt.Sprint("/note?n=", n))
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.Code == http.StatusOK {
		c.acked = append(c.acked, n)
	}
}

// look wants all that was acknowledged before, once, and nothing else.
func (c *customer) look(server string) {
	c.s.t.Helper()
	c.mu.Lock()
	acked, orphan := slices.Clone(c.acked), c.orphan
	c.mu.Unlock()
	w := c.get(server, "/")
	if orphan || w.Code == http.StatusServiceUnavailable || w.Code == http.StatusBadGateway {
		return
	}
	var found []int
	if err := json.Unmarshal(w.Body.Bytes(), &found); err != nil {
		c.s.t.Errorf("%s answers %d %q", server, w.Code, w.Body)
		return
	}
	c.judge(server, acked, found)
}

func (c *customer) judge(server string, acked, found []int) {
	c.s.t.Helper()
	times := make(map[int]int)
	for _, n := range found {
		if times[n]++; times[n] > 1 {
			c.s.t.Errorf("%v: %s has note %d more than once", time.Now().Format(time.TimeOnly), server, n)
		}
	}
	for _, n := range acked {
		if times[n] == 0 {
			c.s.t.Errorf("%v: %s has lost note %d, one of %d, of which it has %d", time.Now().Format(time.TimeOnly), server, n, len(acked), len(found))
			return
		}
	}
}

// finish wants all to be settled, and then the logout to be final.
func (c *customer) finish() {
	c.s.t.Helper()
	for _, server := range c.s.servers {
		c.note(server)
		c.look(server)
	}
	if n := c.counts["/note 200"]; n < 10 {
		c.s.t.Errorf("only %d notes were written: %v", n, c.counts)
	}
	wantStatus(c.s.t, c.get("app1", "/renew"), http.StatusOK)
	wantStatus(c.s.t, c.get("app2", "/logout"), http.StatusOK)
	if c.orphan {
		return
	}
	time.Sleep(time.Minute) // more than any grace
	for _, cookie := range c.cookies {
		for _, server := range c.s.servers {
			if w := c.s.present(server, cookie); w.Body.String() != "null\n" {
				c.s.t.Errorf("after the logout %s answers %d %q", server, w.Code, w.Body)
			}
		}
	}
}

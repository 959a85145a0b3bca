package holdfasttest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// A Site is a cluster in one process: app servers app1, app2 and so on behind a
// balancer, each with a manager of its own, and cache nodes n1, n2 and so on
// behind them all. Any of them can be made to fail while requests are under way.
//
// Methods panic for names that the site does not have. They are safe for
// concurrent use, after Handle.
type Site struct {
	// Options, if not nil, are those of the managers that start from now on;
	// see [New] for what they leave open.
	Options *holdfast.Options

	t       testing.TB
	program http.Handler
	servers []string // their names
	nodes   map[string]*faultstore.Node

	mu      sync.Mutex          // guards all below
	lists   map[string][]string // the nodes of each server, by name
	living  map[string]*server
	started []*server
	turn    int // of the balancer
}

// Cluster returns a site of so many app servers and cache nodes. Everything is
// in memory and without goroutines that outlive the test, so that a test can
// run in the fake time of package synctest, where a node that hangs costs the
// right time and no wait.
func Cluster(t testing.TB, servers, nodes int) *Site {
	s := &Site{
		t: t, servers: numbered("app", servers), nodes: make(map[string]*faultstore.Node),
		lists: make(map[string][]string), living: make(map[string]*server),
	}
	for _, name := range numbered("n", nodes) {
		s.nodes[name] = faultstore.New()
	}
	for _, name := range s.servers {
		s.lists[name] = numbered("n", nodes)
	}
	t.Cleanup(s.finish)
	return s
}

func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(prefix, i+1)
	}
	return names
}

// Handle starts the app servers: each runs program inside of its own manager's
// Handler. Call it once, before the first request.
func (s *Site) Handle(program http.Handler) {
	s.t.Helper()
	s.program = program
	for _, name := range s.servers {
		s.start(name)
	}
}

func (s *Site) start(name string) {
	s.t.Helper()
	o := withDefaults(s.t, s.Options)
	o.Logger = o.Logger.With("server", name)
	if o.Sticky {
		o.Route = name
	}
	var nodes []store.Node
	var clients []*faultstore.Client
	for _, node := range s.list(name) {
		c := s.Node(node).Client(name)
		clients = append(clients, c)
		nodes = append(nodes, store.Node{Name: node, Store: c})
	}
	m, err := holdfast.New(nodes, &o)
	if err != nil {
		s.t.Fatal(err)
	}
	started := newServer(name, m, s.program, clients)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.living[name] = started
	s.started = append(s.started, started)
}

func (s *Site) list(server string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lists[server]
}

// finish ends all servers, also those that were killed: their managers know
// nothing of it and still run.
func (s *Site) finish() {
	s.t.Helper()
	s.mu.Lock()
	started := slices.Clone(s.started)
	s.mu.Unlock()
	for _, server := range started {
		server.finish(s.t)
	}
}

// Client returns a visitor without cookies. Each request goes to the next app
// server that lives; with Options.Sticky to the one that the cookie names, if it
// lives. The response header [ServedBy] names it. A request whose
// server dies under it gets the balancer's answer: 502 without that header.
func (s *Site) Client() *SiteClient { return &SiteClient{newClient(s), s} }

// A SiteClient is a Client of a whole site.
type SiteClient struct {
	*Client
	site *Site
}

// On returns the same visitor, with the same cookies, whose requests all go to
// one app server. While that is dead they get a 502.
func (c *SiteClient) On(server string) *Client {
	c.site.mustHave(server)
	return &Client{cookies: c.cookies, calls: oneServer{c.site, server}}
}

// answer is the balancer. With Options.Sticky it goes by the end of the cookie.
func (s *Site) answer(r *http.Request) *httptest.ResponseRecorder {
	return s.routed(r).answer(r)
}

// routed returns the server that a cookie of r names, if it lives, or else the next.
func (s *Site) routed(r *http.Request) *server {
	if s.Options == nil || !s.Options.Sticky {
		return s.next()
	}
	s.mu.Lock()
	for _, c := range r.Cookies() {
		_, route, _ := strings.Cut(c.Value, ".")
		if named := s.living[route]; named != nil {
			s.mu.Unlock()
			return named
		}
	}
	s.mu.Unlock()
	return s.next()
}

func (s *Site) manager() *holdfast.Manager { return s.next().manager() }

// next returns the next server that lives, or nil.
func (s *Site) next() *server {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range s.servers {
		name := s.servers[s.turn%len(s.servers)]
		s.turn++
		if next := s.living[name]; next != nil {
			return next
		}
	}
	return nil
}

// oneServer is the balancer that was told where to go.
type oneServer struct {
	site *Site
	name string
}

func (o oneServer) answer(r *http.Request) *httptest.ResponseRecorder {
	return o.site.server(o.name).answer(r)
}

func (o oneServer) manager() *holdfast.Manager { return o.site.Manager(o.name) }

// server returns the server if it lives, else nil.
func (s *Site) server(name string) *server {
	s.mustHave(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.living[name]
}

func (s *Site) mustHave(server string) {
	if !slices.Contains(s.servers, server) {
		panic(fmt.Sprintf("holdfasttest: there is no app server %q, only %q", server, s.servers))
	}
}

// Manager returns the manager of an app server that lives, as for its Stats.
func (s *Site) Manager(server string) *holdfast.Manager { return s.server(server).manager() }

// Node returns a cache node, for what the methods of Site do not do to it.
func (s *Site) Node(name string) *faultstore.Node {
	n, ok := s.nodes[name]
	if !ok {
		panic(fmt.Sprintf("holdfasttest: there is no node %q, only n1 to n%d", name, len(s.nodes)))
	}
	return n
}

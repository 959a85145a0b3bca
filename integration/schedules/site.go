package schedules

import (
	"context"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
	"github.com/holdfast-sessions/holdfast/placement"
)

const (
	serverCount = 3
	userCount   = 2
)

// A site is the cluster that a schedule is played on.
type site struct {
	mode    mode
	seed    uint64
	net     *network
	tally   *tally
	story   *story
	history *history.History
	began   time.Time

	nodes    []*cacheNode
	nodeList []string
	users    []*user

	fault    *outstanding // nil: all is well
	repaired time.Duration

	mu      sync.Mutex            // guards all below
	servers map[string]*appServer // that live, or died last
	lives   []*appServer
	wrong   []string
	digest  hash.Hash64 // of all operations
	done    []history.Op
}

func newSite(s *Schedule, tell *story, mood mood) (*site, error) {
	m, err := modeOf(s.Mode)
	if err != nil {
		return nil, err
	}
	at := &site{
		mode: m, seed: s.Seed, story: tell, history: history.New(), began: time.Now(),
		tally: newTally(), servers: map[string]*appServer{}, digest: fnv.New64a(),
	}
	at.net = newNetwork(at.tally, tell)
	at.step(0)
	for i := range s.Nodes {
		n := &cacheNode{name: fmt.Sprint("n", i+1), network: at.net, mood: mood}
		n.start()
		at.nodes, at.nodeList = append(at.nodes, n), append(at.nodeList, n.name)
		for j := range serverCount {
			r := route{fmt.Sprint("app", j+1), n.name}
			at.net.links[r] = &link{route: r, to: n}
		}
	}
	for i := range serverCount {
		if err := at.startServer(fmt.Sprint("app", i+1)); err != nil {
			return nil, err
		}
	}
	for i := range userCount {
		at.users = append(at.users, &user{site: at, name: fmt.Sprint("u", i+1)})
	}
	return at, nil
}

func (s *site) startServer(name string) error {
	o := s.mode.options
	if o.Sticky {
		o.Route = name
	}
	fresh, err := newAppServer(s.net, name, s.nodeList, o)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.servers[name] = fresh
	s.lives = append(s.lives, fresh)
	return nil
}

// step makes everything random from now on that of a step.
func (s *site) step(number int) {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	s.net.rng = rand.New(rand.NewPCG(s.seed, uint64(number)))
}

func (s *site) random(n int) int {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	return s.net.rng.IntN(n)
}

func (s *site) now() time.Duration { return time.Since(s.began) }

// pass lets time go by.
func (s *site) pass(d time.Duration) { time.Sleep(d) }

func (s *site) server(name string) *appServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.servers[name]
}

// serverFor is the balancer: it sends a browser to the server that is named, or that
// its cookie names, or else to the next that lives.
func (s *site) serverFor(name, cookie string) string {
	if name == "route" || s.mode.async() && cookie != "" {
		name = routeOf(cookie)
	}
	at := max(slices.IndexFunc(s.serverNames(), func(n string) bool { return n == name }), 0)
	for i := range serverCount {
		next := fmt.Sprint("app", (at+i)%serverCount+1)
		if !s.server(next).gone() {
			return next
		}
	}
	return "app1"
}

func (s *site) serverNames() []string {
	var names []string
	for i := range serverCount {
		names = append(names, fmt.Sprint("app", i+1))
	}
	return names
}

// request asks a server. A nil answer: it has died meanwhile.
func (s *site) request(server, path, cookie string) (history.Span, *httptest.ResponseRecorder) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: cookie})
	}
	span := history.Span{Start: s.now()}
	w := s.server(server).answer(r)
	span.End = s.now()
	s.judgeAnswer(path, server, span, w)
	return span, w
}

// judgeAnswer wants an answer in time, and none that a user could not understand.
func (s *site) judgeAnswer(path, server string, span history.Span, w *httptest.ResponseRecorder) {
	if w == nil || strings.HasPrefix(path, "/hold") {
		return
	}
	took := span.End - span.Start
	if took > s.mode.longest() {
		s.complain("%s on %s took %v, promised is %v", path, server, took, s.mode.longest())
	}
	if w.Code == http.StatusInternalServerError {
		s.complain("%s on %s: %d %s", path, server, w.Code, w.Body)
	}
}

// add notes an operation.
func (s *site) add(op history.Op) {
	if op.Kind == history.Read && op.Outcome == history.Unknown {
		op.Outcome = history.Refused // a read that was not answered has done nothing
	}
	s.history.Add(op)
	s.story.say("%s %s %s %s %s=%q owner %q: %v%s%s, began %v", op.Session, op.Server, op.Kind, note(op.Former, "former"), op.Key, op.Value, op.Owner,
		[...]string{"accepted", "refused", "unknown"}[op.Outcome], note(op.Missing, " missing"), "", op.Span.Start)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = fmt.Fprint(s.digest, op.Session, op.Server, op.Kind, op.Key, op.Value, op.Owner, op.Missing, op.Outcome, "\n")
	s.done = append(s.done, op)
}

func note(yes bool, what string) string {
	if yes {
		return what
	}
	return ""
}

// complain notes what is wrong without any history.
func (s *site) complain(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// finish ends everything that runs.
func (s *site) finish() Counts {
	s.mu.Lock()
	lives := slices.Clone(s.lives)
	s.mu.Unlock()
	for _, life := range lives {
		if life.gone() {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if err := life.stop(ctx); err != nil {
			s.complain("%s: Shutdown: %v", life.name, err)
		}
		cancel()
	}
	counts := s.tally.Counts
	for _, life := range lives {
		life.requests.Wait()
		counts.addStats(life.m.Stats())
	}
	for _, n := range s.nodes {
		n.relieve()
		n.kill()
	}
	s.net.stop()
	return counts
}

// noteHome has the tally know where a session lies, as its browser does.
func (s *site) noteHome(cookie string) {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	s.tally.homes[placement.StorageKey(namespace, idOf(cookie))] = homeOf(cookie)
}

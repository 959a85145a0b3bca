package placement_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// A storm is a few app servers and nodes in fake time, with users at work, and
// one fault after the other, each after the one before is repaired. Whatever a
// user was told must be so: a storm has no other notion of right.
type storm struct {
	t       *testing.T
	nodes   []*faultstore.Node
	copies  int
	stopped chan struct{}
	users   []*user

	mu      sync.Mutex
	rng     *rand.Rand           // guarded by mu
	servers []*placement.Cluster // guarded by mu
	answers int                  // guarded by mu; acknowledged changes
	story   []string             // guarded by mu
	began   time.Time
}

// TestStorms plays storms of a few sizes, each from its seed. HOLDFAST_DEEP=1
// plays many more.
func TestStorms(t *testing.T) {
	seeds := uint64(2)
	if os.Getenv("HOLDFAST_DEEP") != "" {
		seeds = 300
	}
	for _, size := range []struct{ servers, nodes, copies int }{{2, 2, 2}, {3, 3, 2}, {2, 4, 3}} {
		t.Run(fmt.Sprintf("%d servers, %d nodes, %d copies", size.servers, size.nodes, size.copies), func(t *testing.T) {
			t.Parallel()
			for seed := range seeds {
				synctest.Test(t, func(t *testing.T) {
					s := newStorm(t, seed, size.servers, size.nodes, size.copies)
					s.run(20)
					if t.Failed() {
						t.Fatalf("seed %d:\n%s", seed, s.told())
					}
				})
			}
		})
	}
}

func newStorm(t *testing.T, seed uint64, servers, nodes, copies int) *storm {
	s := &storm{t: t, rng: rand.New(rand.NewPCG(seed, 7)), copies: copies, stopped: make(chan struct{}), began: time.Now()}
	for range nodes {
		n := faultstore.New()
		n.Intercept(s.network)
		s.nodes = append(s.nodes, n)
	}
	for i := range servers {
		s.servers = append(s.servers, s.startServer(i))
	}
	for i := range 6 {
		s.users = append(s.users, &user{storm: s, name: i})
	}
	return s
}

// network takes its time.
func (s *storm) network(ctx context.Context, _ faultstore.Call, next func() error) error {
	time.Sleep(time.Duration(s.random(3000)) * time.Microsecond)
	err := next()
	time.Sleep(time.Duration(s.random(3000)) * time.Microsecond)
	return err
}

func (s *storm) startServer(i int) *placement.Cluster {
	c, err := placement.New(s.list(i), placement.Options{Codec: newCodec(s.t), Timeout: timeout, Copies: s.copies})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *storm) random(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.IntN(n)
}

func (s *storm) server(i int) *placement.Cluster {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.servers[i]
}

func (s *storm) log(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.story = append(s.story, fmt.Sprintf("%8v ", time.Since(s.began).Round(time.Millisecond))+fmt.Sprintf(format, args...))
}

// told is the last part of the story.
func (s *storm) told() (text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.story[max(0, len(s.story)-60):] {
		text += line + "\n"
	}
	return text
}

func (s *storm) run(faults int) {
	var actors sync.WaitGroup
	for _, u := range s.users {
		u.begin()
		for range 3 {
			actors.Go(u.live)
		}
	}
	for range faults {
		time.Sleep(time.Duration(s.random(300)) * time.Millisecond)
		s.strike()
		s.repair()
		if s.t.Failed() {
			break
		}
	}
	close(s.stopped)
	actors.Wait()
	for _, u := range s.users {
		u.judge()
	}
	if s.answers < 1000 {
		s.t.Errorf("only %d changes were acknowledged: this proves too little", s.answers)
	}
	for i := range s.servers {
		_ = s.server(i).Close()
	}
}

// strike makes one fault come and go.
func (s *storm) strike() {
	i := s.random(len(s.nodes))
	n, name := s.nodes[i], fmt.Sprint("n", i+1)
	victim := s.random(len(s.servers))
	wait := func() { time.Sleep(time.Duration(s.random(4000)) * time.Millisecond) }
	kind := s.random(9)
	s.log("fault %d at %s, app%d", kind, name, victim)
	switch kind {
	case 0:
		n.Kill()
		wait()
		n.Revive()
	case 1:
		n.Freeze()
		wait()
		n.Thaw()
	case 2:
		n.Empty()
	case 3:
		n.Reset()
	case 4:
		client := fmt.Sprint("app", victim)
		n.Cut(client)
		wait()
		n.Mend(client)
	case 5:
		old := n.Snapshot()
		n.Kill()
		wait()
		n.Revive()
		n.Restore(old)
	case 6:
		n.Revive() // restarted empty
	case 7:
		s.killServer(victim)
	case 8:
		if len(s.nodes) > s.copies {
			s.drain(name)
		}
	}
	s.log("over")
}

// drain empties a node under load, and takes it into use again.
func (s *storm) drain(name string) {
	for i := range s.servers {
		if err := s.server(i).Drain(name); err != nil {
			s.t.Errorf("Drain(%s): %v", name, err)
		}
		time.Sleep(time.Duration(s.random(50)) * time.Millisecond)
	}
	for range 3 { // each use moves a session behind it
		s.poke()
		time.Sleep(timeout)
	}
	for _, u := range s.users {
		if v, _, _ := u.load(0); v != nil && slices.Contains(v.Record.Members, name) {
			s.t.Errorf("user %d: the session lies on %v, and %s is drained", u.name, v.Record.Members, name)
		}
	}
	for i := range s.servers {
		if err := s.server(i).SetNodes(s.list(i)); err != nil {
			s.t.Errorf("SetNodes: %v", err)
		}
	}
}

func (s *storm) list(server int) (nodes []store.Node) {
	for n, at := range s.nodes {
		nodes = append(nodes, store.Node{Name: fmt.Sprint("n", n+1), Store: at.Client(fmt.Sprint("app", server))})
	}
	return nodes
}

// killServer abandons a server with what it has under way, and starts another.
func (s *storm) killServer(i int) {
	fresh := s.startServer(i)
	s.mu.Lock()
	dead := s.servers[i]
	s.servers[i] = fresh
	s.mu.Unlock()
	_ = dead.Close()
}

// repair waits until all nodes are asked again and every session has been used.
func (s *storm) repair() {
	for i := range s.servers {
		for _, n := range s.server(i).Nodes() {
			if n.State != "up" {
				time.Sleep(50 * time.Millisecond)
				s.poke() // so that a silent fault is met
			}
		}
	}
	time.Sleep(6 * time.Second)
	for range 3 {
		s.poke()
		time.Sleep(timeout)
	}
	for i := range s.servers {
		for _, n := range s.server(i).Nodes() {
			if n.State != "up" {
				s.log("app%d: %s is %s at the end of the repair", i, n.Name, n.State)
			}
		}
	}
}

func (s *storm) poke() {
	for _, u := range s.users {
		for i := range s.servers {
			u.read(i)
		}
	}
}

// A user has one session at a time, used by several requests at once.
type user struct {
	*storm
	name int

	mu        sync.Mutex
	id        string // guarded by mu
	life      *life
	destroyed []string // ids of sessions whose end was acknowledged; guarded by mu
}

// A life is what is known of one session.
type life struct {
	begun, acknowledged, unknown int
	ending                       bool // somebody destroys it
}

func (u *user) begin() {
	for {
		next := fmt.Sprintf("USER%02dEXAMPLEEXAMPL%07d", u.name, u.random(9_999_999))
		_, err := u.server(u.random(len(u.servers))).Commit(context.Background(), next, nil, settings(30*time.Minute, time.Time{}))
		if err == nil {
			u.mu.Lock()
			u.id, u.life = next, new(life)
			u.mu.Unlock()
			return
		}
		if !errors.Is(err, store.ErrUnavailable) {
			u.t.Errorf("create: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (u *user) live() {
	for {
		select {
		case <-u.stopped:
			return
		default:
		}
		server := u.random(len(u.servers))
		switch n := u.random(100); {
		case n < 60:
			u.increment(server)
		case n < 98:
			u.read(server)
		default:
			u.destroy(server)
		}
		time.Sleep(time.Duration(u.random(300)) * time.Millisecond)
	}
}

func (u *user) now() (id string, l *life, acknowledged int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.id, u.life, u.life.acknowledged
}

// load checks what it finds against what was known when it began.
func (u *user) load(server int) (*store.View, string, *life) {
	id, l, least := u.now()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	v, err := u.server(server).Load(ctx, id, "")
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case l.ending || errors.Is(err, store.ErrUnavailable):
		return nil, id, l
	case err != nil:
		u.t.Errorf("user %d: app%d: Load: %v", u.name, server, err)
		return nil, id, l
	}
	if got := total(v.Record); got < least || got > l.begun {
		u.t.Errorf("user %d: app%d read %d, after %d were acknowledged and %d begun", u.name, server, got, least, l.begun)
	}
	return v, id, l
}

func (u *user) read(server int) {
	u.load(server)
	u.mu.Lock()
	ended := ""
	if len(u.destroyed) > 0 {
		ended = u.destroyed[u.random(len(u.destroyed))]
	}
	u.mu.Unlock()
	if ended == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if _, err := u.server(server).Load(ctx, ended, ""); err == nil {
		u.t.Errorf("user %d: app%d serves a destroyed session", u.name, server)
	}
}

func (u *user) increment(server int) {
	v, id, l := u.load(server)
	if v == nil {
		return
	}
	u.count(l, func() { l.begun++ })
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	made, err := u.server(server).Commit(ctx, id, v, oneMore())
	switch {
	case err == nil:
		u.count(l, func() { l.acknowledged++; u.acknowledge() })
		if got := total(made.Record); got > l.begun {
			u.t.Errorf("user %d: made %d of %d", u.name, got, l.begun)
		}
	case errors.Is(err, store.ErrUnknownOutcome):
		u.count(l, func() { l.unknown++ })
	case !errors.Is(err, store.ErrUnavailable) && !l.ending:
		u.t.Errorf("user %d: app%d: Commit: %v", u.name, server, err)
	}
}

func (u *user) acknowledge() {
	u.storm.mu.Lock()
	defer u.storm.mu.Unlock()
	u.answers++
}

func (u *user) count(_ *life, add func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	add()
}

// destroy ends the session, and begins another when that is acknowledged.
func (u *user) destroy(server int) {
	v, id, l := u.load(server)
	if v == nil {
		return
	}
	u.count(l, func() { l.ending = true })
	for {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		err := u.server(server).Destroy(ctx, v)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrUnavailable) {
			u.t.Errorf("user %d: Destroy: %v", u.name, err)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	u.begin()
	u.count(l, func() { u.destroyed = append(u.destroyed, id) })
}

// judge looks at the end.
func (u *user) judge() {
	for i := range u.servers {
		v, _, l := u.load(i)
		if v == nil {
			u.t.Errorf("user %d: app%d does not find the session at the end", u.name, i)
			continue
		}
		got := total(v.Record)
		if got < l.acknowledged || got > l.acknowledged+l.unknown {
			u.t.Errorf("user %d: %d increments, %d acknowledged and %d unknown", u.name, got, l.acknowledged, l.unknown)
		}
	}
}

// oneMore counts without an end.
func oneMore() *store.Change {
	return change(func(r *record.Record) {
		r.Set(record.Attribute{Name: "n", Value: strconv.AppendInt(nil, int64(total(r)+1), 10)})
	})
}

func total(r *record.Record) int {
	a, _ := r.Get("n")
	n, _ := strconv.Atoi(string(a.Value))
	return n
}

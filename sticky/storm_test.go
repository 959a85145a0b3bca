package sticky_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// A storm is a few app servers and nodes in fake time, users with browsers at work
// behind a balancer that is mostly sticky, and one fault after the other, each after
// the one before is repaired. Whatever a user was told must be so.
type storm struct {
	t       *testing.T
	kind    kind
	nodes   []*faultstore.Node
	stopped chan struct{}
	users   []*user
	sleeper *user        // whose session is used as little as can be
	answers atomic.Int64 // acknowledged changes
	begins  atomic.Int64 // ids that were given out
	dropped uint64       // as servers said that are gone

	off              sync.Map     // clients that are cut off from all nodes
	ids              sync.Map     // ends of ids, by storage key
	untold           atomic.Int64 // sendings whose outcome nobody can tell any more: so many others came between
	losses, repaired atomic.Int64 // of nodes' memories: in all, and those that are repaired

	began time.Time

	mu      sync.Mutex
	rng     *rand.Rand // guarded by mu
	servers []*host    // guarded by mu
	deaths  []death    // guarded by mu
	wrong   string     // first; guarded by mu
	story   []string   // guarded by mu
}

// A kind of storm.
type kind struct {
	nodes   int
	options sticky.Options
	moves   bool // users log in and out
}

func (k kind) String() string {
	o := k.options
	return fmt.Sprintf("%d nodes, async %v, moves %v, max idle %v", k.nodes, o.Async, k.moves, o.MaxIdle)
}

// TestStorms plays each kind of storm from its seeds. HOLDFAST_DEEP=1 plays many more.
func TestStorms(t *testing.T) {
	seeds := uint64(2)
	if os.Getenv("HOLDFAST_DEEP") != "" {
		seeds = 30
	}
	for _, async := range []bool{false, true} {
		for _, k := range []kind{
			{nodes: 2, moves: true},
			{nodes: 3, moves: true, options: sticky.Options{MaxIdle: 3 * time.Second}},
			{nodes: 2, options: sticky.Options{MaxBytes: 8 << 10}},
			{nodes: 3, options: sticky.Options{MaxUnsent: 2}},
		} {
			k.options.Async = async
			t.Run(k.String(), func(t *testing.T) {
				t.Parallel()
				for seed := range seeds {
					playStorm(t, seed, k)
				}
			})
		}
	}
}

func playStorm(t *testing.T, seed uint64, k kind) {
	synctest.Test(t, func(t *testing.T) {
		s := newStorm(t, seed, k)
		s.run(20)
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, s.told())
		}
	})
}

const stormServers = 3

func newStorm(t *testing.T, seed uint64, k kind) *storm {
	s := &storm{t: t, kind: k, rng: rand.New(rand.NewPCG(seed, 7)), stopped: make(chan struct{}), began: time.Now()}
	for range k.nodes {
		n := faultstore.New()
		n.Intercept(s.network)
		s.nodes = append(s.nodes, n)
	}
	for i := range stormServers {
		s.servers = append(s.servers, s.startHost(i))
	}
	for i := range 6 {
		s.users = append(s.users, &user{storm: s, number: i})
	}
	return s
}

// network takes its time, and loses what is on its way to who is cut off.
func (s *storm) network(_ context.Context, call faultstore.Call, next func() error) error {
	time.Sleep(time.Duration(s.random(3000)) * time.Microsecond)
	err := next()
	time.Sleep(time.Duration(s.random(3000)) * time.Microsecond)
	if _, off := s.off.Load(call.Client); !off || err != nil {
		return err
	}
	if call.Verb == "get" || call.Verb == "head" {
		return store.ErrUnavailable
	}
	return store.ErrUnknownOutcome
}

func (s *storm) run(faults int) {
	var actors sync.WaitGroup
	for _, u := range s.users {
		u.begin()
		for range 3 {
			actors.Go(u.live)
		}
	}
	s.sleeper = &user{storm: s, number: len(s.users)}
	s.sleeper.begin()
	for range faults {
		time.Sleep(time.Duration(s.random(300)) * time.Millisecond)
		s.strike()
		s.repair()
		s.repaired.Store(s.losses.Load())
		if s.t.Failed() {
			break
		}
	}
	close(s.stopped)
	actors.Wait()
	if !s.t.Failed() {
		s.judge()
	}
	for i := range stormServers {
		_ = s.server(i).Close()
	}
}

func (s *storm) random(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.IntN(n)
}

func (s *storm) server(i int) *host {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.servers[i]
}

func (s *storm) log(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrong != "" && !strings.HasPrefix(format, "WRONG") {
		return
	}
	s.story = append(s.story, fmt.Sprintf("%9v ", time.Since(s.began).Round(100*time.Microsecond))+fmt.Sprintf(format, args...))
}

// told is the story of the session that the first complaint is about, and its last part.
func (s *storm) told() (text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	about := ids.FindString(s.wrong)
	var lines []string
	for _, line := range s.story {
		if about != "" && strings.Contains(line, about) || !strings.Contains(line, "user ") {
			lines = append(lines, line)
		}
	}
	if begin := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, about) }); begin >= 0 {
		lines = lines[max(0, begin-10):]
	}
	last := max(0, len(lines)-140)
	early := slices.DeleteFunc(slices.Clone(lines[:last]), func(line string) bool { return strings.Contains(line, "has made") })
	return strings.Join(slices.Concat(early, lines[last:]), "\n")
}

// ids finds the end of a session's id, which tells it from the others.
var ids = regexp.MustCompile(`[0-9]{7}`)

// complain fails the test with the first thing that is wrong: others may follow from it.
func (s *storm) complain(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrong == "" {
		s.wrong = fmt.Sprintf(format, args...)
		s.t.Error(s.wrong)
	}
}

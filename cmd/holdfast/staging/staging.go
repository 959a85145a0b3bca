package staging

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// Options of a check.
type Options struct {
	Program     string   // the file of the holdfast command, which app servers run; required
	Environment []string // of the app servers
	Nodes       []string // the operator's, name:host:port each; empty: Spawn
	Spawn       int      // memcached processes to start, at least two
	Servers     int      // app servers, at least two
	Mode        Mode
	Length      time.Duration // of the load, at least a few faults' time
	Seed        uint64        // of the faults: the same one gives the same, one after the other
	Say         func(format string, args ...any)

	namespace string            // of all keys
	transport http.RoundTripper // to app servers; nil: a real one
}

// A check is one under way.
type check struct {
	Options
	cluster *cluster
	http    *http.Client
	seen    *journal
	meter   *meter
	places  *places
	pulse   pulse // of the load; read when that has ended
	began   time.Time

	names, values atomic.Int64 // given so far
	struck        atomic.Int64 // faults
	blows         []*Fault     // all of them
	latest        atomic.Value // string: the fault that is under way, or what comes after it
	repaired      time.Duration
	unread        int // sessions that could not be read at the end
}

// Run makes a check and returns what came of it, no report if it could not begin. When
// ctx ends early the report has what was seen until then. All that was started is ended
// when Run returns.
func Run(ctx context.Context, o Options) (r *Report, err error) {
	o.namespace = fmt.Sprintf("holdfast-check-%d-%d", o.Seed, time.Now().UnixNano())
	cluster, err := newCluster(o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cluster.close()) }()
	c := newCheck(o, cluster)
	c.introduce()
	early := c.loaded(ctx, c.faultByFault)
	if early == nil {
		c.readAll()
	}
	c.Say("judging %d operations", c.seen.Len())
	return c.report(early), nil
}

func newCheck(o Options, cluster *cluster) *check {
	c := &check{Options: o, cluster: cluster, seen: newJournal(), meter: newMeter(), places: newPlaces(), began: time.Now()}
	transport := o.transport
	if transport == nil {
		transport = &http.Transport{MaxIdleConnsPerHost: 2 * clientCount}
	}
	c.http = &http.Client{Transport: transport, Timeout: requestTimeout}
	c.latest.Store("")
	return c
}

func (c *check) introduce() {
	c.Say("%s: %d clients on %d sessions, %d app servers, %v, seed %d", c.Mode.Name, clientCount, sessionCount, c.Servers, c.Length, c.Seed)
	if c.Spawn == 0 {
		c.Say("The nodes are yours: they are never flushed, stopped or ended. What fails are app servers, and proxies of this command in front of the nodes.")
		c.Say("All keys have the namespace %s and expire by themselves.", c.namespace)
	}
}

// now is the time on the one clock of the history.
func (c *check) now() time.Duration { return time.Since(c.began) }

// value is one that nobody has set before.
func (c *check) value() string { return fmt.Sprintf("v%d", c.values.Add(1)) }

// loaded runs do under load, of which it waits for the end.
func (c *check) loaded(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer func() { cancel(); running.Wait() }()
	for range clientCount {
		running.Go(func() { (&client{c}).work(ctx) })
	}
	for range sleeperCount {
		running.Go(func() { c.dozes(ctx) })
		running.Go(func() { c.sleeps(ctx) })
	}
	running.Go(func() { c.tell(ctx) })
	running.Go(func() { c.feel(ctx) })
	return do(ctx)
}

// tell says each second how it goes.
func (c *check) tell(ctx context.Context) {
	for second := 1; pause(ctx, time.Duration(second)*time.Second-c.now()) == nil; second++ {
		sum := c.meter.soFar()
		c.Say("%4ds  %6d accepted, %d refused, %d unknown; fault %d %s", second, sum.Accepted, sum.Refused, sum.Unknown, c.struck.Load(), c.latest.Load())
	}
}

// readAll reads every session once nothing fails any more: each on the server that a
// balancer chooses. All must answer.
func (c *check) readAll() {
	unread := atomic.Int64{}
	c.eachAlive(func(s *session) {
		const tries = 10
		for range tries {
			if c.read(s, s.present(c.now)).Outcome == history.Accepted {
				return
			}
		}
		unread.Add(1)
	})
	c.unread = int(unread.Load())
}

// eachAlive does something with every session, a few at a time.
func (c *check) eachAlive(do func(*session)) {
	all := make(chan *session)
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for s := range all {
				do(s)
			}
		})
	}
	for _, s := range c.places.alive() {
		all <- s
	}
	close(all)
	running.Wait()
}

// lines are those of err, or none; never nil.
func lines(err error) []string {
	if err == nil {
		return []string{}
	}
	return strings.Split(strings.TrimSpace(err.Error()), "\n")
}

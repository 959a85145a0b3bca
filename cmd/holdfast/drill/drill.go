package drill

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/ledger"
)

// Options of a drill.
type Options struct {
	Length    time.Duration                    // how long the load lasts in all modes together, at least a few faults' time; required
	Copies    int                              // how many nodes hold a session; zero: two
	Memcached bool                             // nodes are memcached processes, not parts of this one
	Say       func(format string, args ...any) // gets lines on what happens; required
}

const (
	sessionCount = 200
	clientCount  = 48
	readerCount  = 8 // at a time, so that reading all sessions is no fault in itself
)

// Run makes a drill in each mode and returns what came of it. When ctx ends early the
// report has what was seen until then, and the error is that of ctx.
func Run(ctx context.Context, opts Options) (*Report, error) {
	parts := []part{{rig.NonSticky(), allFaults, 0, 1}, {rig.StickySync(), allFaults, 4, 2}, {rig.StickyAsync(), allFaults, 1, 2}}
	return run(ctx, opts, parts)
}

// A part is the drill of one mode.
type part struct {
	mode   rig.Mode
	round  func(*site) []fault
	first  int // fault of the first round
	fewest int // faults, however long they take
}

func run(ctx context.Context, opts Options, parts []part) (*Report, error) {
	opts.Length /= time.Duration(len(parts))
	r := &Report{Modes: map[string]Figures{}}
	for _, p := range parts {
		d, err := p.play(ctx, opts)
		if d != nil {
			r.include(d)
		}
		if err != nil {
			return r.unlessEmpty(), err
		}
	}
	return r, nil
}

// play returns no drill if there was none.
func (p part) play(ctx context.Context, opts Options) (*drill, error) {
	s, err := newSite(p.mode, opts)
	if err != nil {
		return nil, err
	}
	defer s.close()
	d := &drill{Options: opts, part: p, site: s, ledger: ledger.New(sessionCount), began: time.Now()}
	d.Say("%s: %d clients on %d sessions, for %v.", p.mode.Name, clientCount, sessionCount, opts.Length)
	stopLoad, err := d.startLoad(ctx)
	if err == nil {
		err = d.faultByFault(ctx)
	}
	stopLoad()
	if err == nil {
		err = d.readAll(ctx)
	}
	return d, err
}

// A drill is one part under way.
type drill struct {
	Options
	part
	site     *site
	ledger   *ledger.Ledger
	underWay atomic.Int64 // requests
	clients  []*client    // the load
	readers  []*client    // read all sessions together
	began    time.Time
	struck   []struckFault // in order of time
	unsent   int           // sessions with changes that killed servers had not sent
}

// startLoad begins the sessions and then the load on them. The caller calls stop
// when it has seen enough; it waits for the requests that are under way.
func (d *drill) startLoad(ctx context.Context) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	stop = func() { cancel(); running.Wait() }
	for number := range clientCount {
		d.clients = append(d.clients, newClient(d, number, clientCount))
	}
	for number := range readerCount {
		d.readers = append(d.readers, newClient(d, number, readerCount))
	}
	inParallel(d.clients, (*client).beginAll)
	if len(d.ledger.Sessions()) < sessionCount {
		return stop, errors.New("the sessions could not be begun: no app server answers")
	}
	for _, c := range d.clients {
		running.Go(func() { c.work(ctx) })
	}
	return stop, nil
}

// inParallel lets each client do its part.
func inParallel(clients []*client, do func(*client)) {
	var running sync.WaitGroup
	for _, c := range clients {
		running.Go(func() { do(c) })
	}
	running.Wait()
}

// readAll compares, once all is quiet, every session on every server with the
// ledger.
func (d *drill) readAll(ctx context.Context) error {
	if err := d.site.awaitSent(ctx); err != nil {
		return err
	}
	for server := range d.site.servers {
		inParallel(d.readers, func(c *client) { c.readOwn(server) })
	}
	if n := d.ledger.Unreadable(); n > 0 {
		return fmt.Errorf("%d sessions cannot be read at the end, though nothing fails any more", n)
	}
	return nil
}

func (d *drill) say(format string, args ...any) {
	d.Say("%5.1fs  "+format, append([]any{time.Since(d.began).Seconds()}, args...)...)
}

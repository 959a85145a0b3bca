package integration

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/placement"
)

// Repair is over when all app servers use all nodes again, and every session
// lies on both nodes in the same epoch and revision. Only then the next fault is
// one at a time.

const repairTimeout = 2 * time.Minute

// readsForRepair is how often a session is read before it is changed so that it
// lies on all nodes alike.
const readsForRepair = 3

// repair uses every session once, and those that need it again, until repair is
// over. It returns how many had to be changed for that.
func (d *drill) repair() (changed int) {
	d.t.Helper()
	deadline := time.Now().Add(repairTimeout)
	for apart, try := d.users, 0; len(apart) > 0; try++ {
		if time.Now().After(deadline) {
			d.t.Fatalf("not repaired after %v: %d sessions do not lie on all nodes alike", repairTimeout, len(apart))
		}
		d.waitUntilSteady(deadline)
		if try == readsForRepair {
			changed = len(apart)
		}
		d.use(apart, try >= readsForRepair)
		d.repaired = time.Since(d.began)
		apart = d.apart(apart)
	}
	return changed
}

// use reads sessions, a few at once, and perhaps changes them. A read has emptied
// nodes filled. What a killed app server has left on one node alone, in the same
// epoch and acknowledged to nobody, goes with the next change.
func (d *drill) use(users []*user, change bool) {
	var all sync.WaitGroup
	for some := range slices.Chunk(users, 1+len(users)/8) {
		all.Go(func() {
			for _, u := range some {
				d.read(u)
				if change {
					d.set(u, "color")
				}
			}
		})
	}
	all.Wait()
}

// waitUntilSteady waits until every app server stores changes on all nodes that a
// session has, and none is repaired or moved.
func (d *drill) waitUntilSteady(deadline time.Time) {
	d.t.Helper()
	before := d.stats()
	for {
		time.Sleep(200 * time.Millisecond)
		now := d.stats()
		if steady(before, now) {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("not steady after %v:\n%+v\n%+v", repairTimeout, before, now)
		}
		before = now
	}
}

func steady(before, now []holdfast.Stats) bool {
	for i, is := range now {
		was := before[i]
		switch {
		case is.Commits < was.Commits+5:
			return false // too few to tell
		case is.Placement.Degraded != was.Placement.Degraded,
			is.Placement.Relocations != was.Placement.Relocations,
			is.Placement.Repairs != was.Placement.Repairs:
			return false
		}
	}
	return true
}

func (d *drill) stats() []holdfast.Stats {
	d.t.Helper()
	all := make([]holdfast.Stats, len(d.apps))
	for i, app := range d.apps {
		all[i] = app.stats(d.t)
	}
	return all
}

// stats asks an app server.
func (a *appServer) stats(t *testing.T) (all holdfast.Stats) {
	t.Helper()
	asking := &browser{client: http.DefaultClient}
	asking.get(a.url()+"/stats").decode(t, &all)
	return all
}

// apart are the users of whose session the nodes, asked directly, do not all hold
// the same. One that is being changed is asked for again.
func (d *drill) apart(users []*user) []*user {
	d.t.Helper()
	var conns []*nodeConn
	for _, node := range d.nodes {
		c := dialNode(d.t, node)
		defer c.Close()
		conns = append(conns, c)
	}
	for try := 0; len(users) > 0 && try < 20; try++ {
		users = apartNow(conns, users)
		time.Sleep(5 * time.Millisecond)
	}
	return users
}

// apartNow compares client flags, which tell a session's epoch and revision.
func apartNow(conns []*nodeConn, users []*user) (apart []*user) {
	var asks []string
	for _, u := range users {
		asks = append(asks, "mg "+placement.StorageKey("", u.sessionID())+" f")
	}
	first := conns[0].ask(asks...)
	held := make([]bool, len(users))
	for i := range users {
		held[i] = strings.HasPrefix(first[i], "HD")
	}
	for _, c := range conns[1:] {
		for i, answer := range c.ask(asks...) {
			held[i] = held[i] && answer == first[i]
		}
	}
	for i, u := range users {
		if !held[i] {
			apart = append(apart, u)
		}
	}
	return apart
}

// sessionID is the id in the session cookie, without the hints behind it.
func (u *user) sessionID() string {
	_, value, _ := strings.Cut(u.jar(), "=")
	if end := strings.IndexAny(value, "~-."); end >= 0 {
		value = value[:end]
	}
	return value
}

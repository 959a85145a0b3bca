package integration

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/placement"
)

// Repair is over when all app servers use all nodes again, and every session
// lies on both nodes in the same epoch and revision. Only then the next fault is
// one at a time.

const repairTimeout = 2 * time.Minute

// repair uses every session once, and again until repair is over.
func (d *drill) repair() {
	d.t.Helper()
	deadline := time.Now().Add(repairTimeout)
	for i := 0; ; i++ {
		d.waitUntilSteady(deadline)
		apart := d.apart()
		if len(apart) == 0 {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("not repaired after %v: %d sessions do not lie on all nodes alike", repairTimeout, len(apart))
		}
		for _, u := range apart {
			d.mend(u, i)
		}
	}
}

// mend uses a session: a read fills emptied nodes. What a killed app server has
// left on one node alone, in the same epoch, goes with the next change.
func (d *drill) mend(u *user, try int) {
	d.read(u)
	if try > 0 {
		d.set(u, "color")
	}
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
			is.Placement.Repairs != was.Placement.Repairs,
			is.Placement.MendsOwed != 0:
			return false
		}
	}
	return true
}

func (d *drill) stats() []holdfast.Stats {
	d.t.Helper()
	all := make([]holdfast.Stats, len(d.apps))
	for i, app := range d.apps {
		resp, err := http.Get(app.url() + "/stats")
		if err != nil {
			d.t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil {
			err = json.Unmarshal(body, &all[i])
		}
		if err != nil {
			d.t.Fatalf("the stats of %s: %v: %s", app.route, err, body)
		}
	}
	return all
}

// apart are the sessions of which the nodes, asked directly, do not all hold the
// same. A session that is being changed is asked again.
func (d *drill) apart() []*user {
	d.t.Helper()
	var conns []*nodeConn
	for _, node := range d.nodes {
		c := dialNode(d.t, node)
		defer c.Close()
		conns = append(conns, c)
	}
	var apart []*user
	for _, u := range d.users {
		if !eventuallyHeldAlike(conns, u) {
			apart = append(apart, u)
		}
	}
	return apart
}

func eventuallyHeldAlike(conns []*nodeConn, u *user) bool {
	for range 5 {
		if heldAlike(conns, u) {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

// heldAlike reports whether all nodes hold the session with the same client flags,
// which tell its epoch and revision.
func heldAlike(conns []*nodeConn, u *user) bool {
	ask := "mg " + placement.StorageKey("", u.sessionID()) + " f"
	first := conns[0].ask(ask)
	for _, c := range conns[1:] {
		if c.ask(ask) != first {
			return false
		}
	}
	return strings.HasPrefix(first, "HD")
}

// sessionID is the id in the session cookie, without the hints behind it.
func (u *user) sessionID() string {
	_, value, _ := strings.Cut(u.jar(), "=")
	if end := strings.IndexAny(value, "~-."); end >= 0 {
		value = value[:end]
	}
	return value
}

package integration

import (
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/placement"
)

// TestSessionsThatNobodyUsesAreRepairedToo: the load ends when the first app
// server uses the node again that was away. What was stored without it must get
// there all the same, before the next fault.
func TestSessionsThatNobodyUsesAreRepairedToo(t *testing.T) {
	d := startDrill(t, nonSticky, commandPath(t))
	stop := d.start()
	d.repair()
	kill := d.killNode(1)
	kill.strike()
	time.Sleep(kill.lasts)
	d.use(d.users, true)
	before := d.stats()
	kill.heal()
	d.waitForRepairs(before)
	stop()

	apart := d.apart(d.users)
	for deadline := time.Now().Add(20 * time.Second); len(apart) > 0 && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
		apart = d.apart(apart)
	}
	for _, u := range apart {
		t.Errorf("session %d does not lie on all nodes alike, 20 s after one came back: %q", u.number, d.held(u))
	}
}

// waitForRepairs waits until some app server has repaired more than before.
func (d *drill) waitForRepairs(before []holdfast.Stats) {
	d.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for i, now := range d.stats() {
			if now.Placement.Repairs > before[i].Placement.Repairs {
				return
			}
		}
	}
	d.t.Fatal("no app server repairs anything 30 s after the node is back")
}

// held is what the nodes answer about a session: HD with its client flags, or EN.
func (d *drill) held(u *user) (answers []string) {
	d.t.Helper()
	for _, node := range d.nodes {
		c := dialNode(d.t, node)
		answers = append(answers, c.ask("mg "+placement.StorageKey("", u.sessionID())+" f")...)
		c.Close()
	}
	return answers
}

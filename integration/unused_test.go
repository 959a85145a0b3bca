package integration

import (
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/placement"
)

// TestSessionsThatNobodyUsesAreRepairedToo: the load ends when the first app
// server uses the node again that was away. What was stored without it must get
// there all the same, before the next fault.
func TestSessionsThatNobodyUsesAreRepairedToo(t *testing.T) {
	d := startDrill(t, commandPath(t))
	stop := d.start()
	d.repair()
	kill := d.killNode(1)
	kill.strike()
	time.Sleep(kill.lasts)
	d.use(d.users, true)
	before := d.stats()
	kill.heal()
	for deadline := time.Now().Add(30 * time.Second); !d.someRepairs(before); {
		if time.Now().After(deadline) {
			t.Fatal("no app server repairs anything 30 s after the node is back")
		}
		time.Sleep(time.Millisecond)
	}
	stop()

	apart := d.apart(d.users)
	for deadline := time.Now().Add(20 * time.Second); len(apart) > 0 && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
		apart = d.apart(apart)
	}
	for _, s := range d.stats() {
		t.Logf("%+v", s.Placement)
	}
	for _, u := range apart {
		var held []string
		for _, node := range d.nodes {
			c := dialNode(t, node)
			answer := c.ask("mg " + placement.StorageKey("", u.sessionID()) + " f")[0]
			c.Close()
			var flags uint32
			if _, err := fmt.Sscanf(answer, "HD f%d", &flags); err == nil {
				answer = fmt.Sprintf("epoch %d revision %d", flags>>23&127, flags&(1<<23-1))
			}
			held = append(held, answer)
		}
		t.Logf("session %d: %q", u.number, held)
	}
	if len(apart) > 0 {
		t.Errorf("%d of %d sessions lie on one node only, 20 s after the other is back", len(apart), len(d.users))
	}
}

// someRepairs reports whether an app server has repaired more than before.
func (d *drill) someRepairs(before []holdfast.Stats) bool {
	for i, now := range d.stats() {
		if now.Placement.Repairs > before[i].Placement.Repairs {
			return true
		}
	}
	return false
}

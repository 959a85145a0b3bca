package drill

import (
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// play makes a drill of one round of faults in one mode.
func play(t *testing.T, isMemcached bool, m rig.Mode, round func(*site) []fault, faults int) *Report {
	t.Helper()
	r, err := run(t.Context(), Options{Length: time.Second, Memcached: isMemcached, Say: t.Logf}, []part{{m, round, 0, faults}})
	if err != nil {
		t.Fatal(err)
	}
	if wrong := r.Err(); r.Lost+r.Resurrected > 0 || r.LostUpdates+r.Doubled > 0 {
		t.Error(wrong)
	}
	return r
}

// The kill of a node is what holdfast demo is tested with.
func TestTheOtherFaults(t *testing.T) {
	r := play(t, false, rig.NonSticky(), func(s *site) []fault {
		return []fault{s.killServer(0), s.flushNode(1), s.freezeNode(2)}
	}, 3)
	if r.Faults != 3 {
		t.Errorf("got %d faults, want each", r.Faults)
	}
}

func TestMemcachedAsNodes(t *testing.T) {
	if _, err := exec.LookPath("memcached"); err != nil {
		t.Skip("memcached is not installed")
	}
	r := play(t, true, rig.NonSticky(), func(s *site) []fault { return []fault{s.killNode(1), s.freezeNode(0)} }, 2)
	if r.Relocations == 0 {
		t.Error("no session got other nodes")
	}
}

// Of what a killed server held alone no more is lost than it had said. The nodes are
// frozen before, so that it holds something.
func TestLossesAreWithinTheBudget(t *testing.T) {
	r := play(t, false, rig.StickyAsync(), func(s *site) []fault {
		kill := s.killServer(0)
		dies := kill.strike
		kill.strike = func() error {
			for _, n := range s.nodes {
				if err := n.Freeze(true); err != nil {
					return err
				}
			}
			time.Sleep(100 * time.Millisecond)
			err := dies()
			for _, n := range s.nodes {
				err = errors.Join(err, n.Freeze(false))
			}
			return err
		}
		return []fault{kill, s.killNode(1)}
	}, 2)
	if r.Unsent == 0 || r.Losers == 0 || r.UnsentLost == 0 {
		t.Errorf("%d sessions were not sent, %d lost %d changes: want some, or nothing is shown", r.Unsent, r.Losers, r.UnsentLost)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

package drill

import (
	"os/exec"
	"testing"
	"time"
)

// play makes a drill of one round of faults.
func play(t *testing.T, isMemcached bool, round func(*site) []fault, faults int) *Report {
	t.Helper()
	r, err := run(t.Context(), Options{Length: time.Second, Memcached: isMemcached, Say: t.Logf}, round, faults)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := r.wrong(); r.Lost+r.Resurrected > 0 || r.LostUpdates+r.Doubled > 0 {
		t.Error(wrong)
	}
	return r
}

// The kill of a node is what holdfast demo is tested with.
func TestTheOtherFaults(t *testing.T) {
	r := play(t, false, func(s *site) []fault {
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
	r := play(t, true, func(s *site) []fault { return []fault{s.killNode(1), s.freezeNode(0)} }, 2)
	if r.Relocations == 0 {
		t.Error("no session got other nodes")
	}
}

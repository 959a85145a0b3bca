package servers

import (
	"fmt"
	"testing"
)

func TestBashTakesWhatItStartedAlong(t *testing.T) {
	bash := StartBash(t, "sleep 600 & echo $!\n", "sleep")
	wait(t, "the end of bash", func() bool { return !bash.Running() })
	var pid int
	if _, err := fmt.Sscan(bash.Output(), &pid); err != nil || pid <= 1 {
		t.Fatalf("bash printed %q, want the id of the process it started", bash.Output())
	}
	waitGone(t, "sleep", pid)
}

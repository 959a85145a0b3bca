package rig

import (
	"os/exec"
	"strings"
	"testing"
)

func TestProcessThatEndsAtItsStartIsNotWaitedFor(t *testing.T) {
	p, err := NewProcess("app1", func(string) (*exec.Cmd, error) { return exec.Command("false"), nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err == nil || !strings.Contains(err.Error(), "app1 ended at its start: exit status 1") {
		t.Errorf("got %v", err)
	}
	if err := p.Kill(); err != nil {
		t.Errorf("Kill of what has ended: got %v", err)
	}
}

package servers

import (
	"syscall"
	"testing"
)

// StartBash starts bash on a script that uses the commands in needs. What the
// script has started is killed when it ends, however that comes.
func StartBash(t testing.TB, script string, needs ...string) *Process {
	t.Helper()
	for _, name := range needs {
		lookup(t, name)
	}
	// 0 is the process group, bash itself included.
	const last = "trap 'kill -KILL 0' EXIT TERM\n"
	p := NewProcess(t, nil, lookup(t, "bash"), "-c", last+script)
	// Killed with SIGKILL bash would leave its children behind.
	p.attr = childAttr(syscall.SIGTERM)
	p.Start()
	return p
}

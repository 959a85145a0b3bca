//go:build unix && !linux

package servers

import (
	"syscall"
	"time"
)

// childAttr makes a child the leader of its own process group. Only Linux can
// end it when the test binary is killed.
func childAttr(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// frozen gives the threads of a stopped process a moment: there is no common
// way to look at them.
func frozen(int) bool {
	time.Sleep(50 * time.Millisecond)
	return true
}

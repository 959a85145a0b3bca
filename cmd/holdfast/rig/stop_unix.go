//go:build unix

package rig

import (
	"os"
	"syscall"
)

func stop(p *os.Process, stopped bool) error {
	if stopped {
		return p.Signal(syscall.SIGSTOP)
	}
	return p.Signal(syscall.SIGCONT)
}

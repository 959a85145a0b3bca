//go:build unix

package drill

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

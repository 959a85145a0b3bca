//go:build unix

package drill

import (
	"os"
	"os/exec"
	"syscall"
)

// apart keeps a Ctrl-C in the terminal from reaching the process: the drill ends
// it, when it is done with it.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func stop(p *os.Process, stopped bool) error {
	if stopped {
		return p.Signal(syscall.SIGSTOP)
	}
	return p.Signal(syscall.SIGCONT)
}

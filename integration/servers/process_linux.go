package servers

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// childAttr makes a child the leader of its own process group, and has the
// kernel send it onDeath when the test binary dies by whatever cause. The
// kernel watches the thread that started the child; Go keeps such threads
// until the process ends.
func childAttr(onDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: onDeath}
}

// frozen reports whether every thread of the process is stopped. A thread's
// state is the letter after its name, which stands in parentheses.
func frozen(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false
	}
	for _, name := range threads {
		stat, err := os.ReadFile(name)
		if err != nil {
			return false // the thread ended meanwhile: look again
		}
		end := bytes.LastIndexByte(stat, ')')
		if !bytes.HasPrefix(stat[end+1:], []byte(" T")) {
			return false
		}
	}
	return len(threads) > 0
}

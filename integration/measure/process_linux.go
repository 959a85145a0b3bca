package measure

import "syscall"

// childAttr has the kernel end a child when this process dies by whatever cause, and
// keeps the terminal's Ctrl-C from it: the parent ends its children in order.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

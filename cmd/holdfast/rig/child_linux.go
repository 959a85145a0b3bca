package rig

import "syscall"

// childAttr keeps a Ctrl-C at the terminal from children, which this process ends
// itself, and has the kernel end them when this process dies by whatever cause.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

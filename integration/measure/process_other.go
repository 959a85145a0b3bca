//go:build unix && !linux

package measure

import "syscall"

// childAttr keeps the terminal's Ctrl-C from a child: the parent ends its children in
// order.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

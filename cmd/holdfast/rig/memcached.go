package rig

import (
	"errors"
	"net"
	"os"
	"os/exec"
)

// memcached is a cache node that is a process of its own.
type memcached struct{ Process }

func newMemcached(name, address string) *memcached {
	return &memcached{Process{Name: name, Address: address, command: memcachedCommand}}
}

func memcachedCommand(address string) (*exec.Cmd, error) {
	path, err := exec.LookPath("memcached")
	if err != nil {
		return nil, errors.New("memcached is not installed here: install it, or do without processes as nodes")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "-l", host, "-p", port, "-U", "0")
	if os.Geteuid() == 0 { // it refuses to run as root unless told so
		cmd.Args = append(cmd.Args, "-u", "root")
	}
	cmd.Stderr = os.Stderr
	return cmd, nil
}

func (m *memcached) start() error             { return m.Start() }
func (m *memcached) kill() error              { return m.Kill() }
func (m *memcached) freeze(frozen bool) error { return m.Freeze(frozen) }

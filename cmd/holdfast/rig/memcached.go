package rig

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
)

// memcached is a cache node that is a process of its own.
type memcached struct {
	address string
	cmd     *exec.Cmd
}

// start waits until the process takes connections.
func (m *memcached) start() error {
	path, err := exec.LookPath("memcached")
	if err != nil {
		return errors.New("memcached is not installed here: install it, or leave --memcached out for nodes inside this process")
	}
	host, port, err := net.SplitHostPort(m.address)
	if err != nil {
		return err
	}
	m.cmd = exec.Command(path, "-l", host, "-p", port, "-U", "0")
	if os.Geteuid() == 0 { // it refuses to run as root unless told so
		m.cmd.Args = append(m.cmd.Args, "-u", "root")
	}
	m.cmd.Stderr = os.Stderr
	if err := m.cmd.Start(); err != nil {
		return err
	}
	return m.await()
}

func (m *memcached) await() error {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if conn, err := net.Dial("tcp", m.address); err == nil {
			return conn.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.Join(fmt.Errorf("memcached does not listen on %s after 5 seconds", m.address), m.kill())
}

func (m *memcached) kill() error {
	if m.cmd == nil || m.cmd.Process == nil || m.cmd.ProcessState != nil {
		return nil
	}
	err := m.cmd.Process.Kill()
	_ = m.cmd.Wait() // always an error: it was killed
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

func (m *memcached) freeze(frozen bool) error { return stop(m.cmd.Process, frozen) }

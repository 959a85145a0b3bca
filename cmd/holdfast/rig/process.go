package rig

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
)

// A Process is a program that listens on an address of this machine, which it has in
// every life. It is a child of this process and ends with it. Its methods are called
// one at a time.
type Process struct {
	Name, Address string
	command       func(address string) (*exec.Cmd, error)
	running       *exec.Cmd     // or the one that was last; nil before the first
	ended         chan struct{} // closed when running has ended
}

// NewProcess describes a program on a free address. command makes what runs it, for
// each of its lives. Start starts it.
func NewProcess(name string, command func(address string) (*exec.Cmd, error)) (*Process, error) {
	address, err := freeAddress()
	return &Process{Name: name, Address: address, command: command}, err
}

// startTimeout is generous: a machine that runs everything at once is slow.
const startTimeout = 20 * time.Second

// Start begins another life and waits until the process takes connections.
func (p *Process) Start() error {
	cmd, err := p.command(p.Address)
	if err != nil {
		return err
	}
	cmd.SysProcAttr = childAttr()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start %s: %w", p.Name, err)
	}
	p.running, p.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		_ = cmd.Wait() // how it ended tells nothing to those who kill it
		close(ended)
	}(p.ended)
	return p.await()
}

func (p *Process) await() error {
	for end := time.Now().Add(startTimeout); time.Now().Before(end); {
		if conn, err := net.Dial("tcp", p.Address); err == nil {
			return conn.Close()
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended at its start: %v", p.Name, p.running.ProcessState)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return errors.Join(fmt.Errorf("%s does not listen on %s after %v", p.Name, p.Address, startTimeout), p.Kill())
}

// Kill ends the process at once, and waits for its end. It may be dead already.
func (p *Process) Kill() error {
	if p.running == nil {
		return nil
	}
	if err := p.running.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.ended
	return nil
}

// Freeze has the process stand still, or go on as if nothing had been.
func (p *Process) Freeze(frozen bool) error { return stop(p.running.Process, frozen) }

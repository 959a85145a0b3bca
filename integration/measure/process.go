package measure

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const startTimeout = 20 * time.Second

// A Process is a child of this one, and ends with it at the latest.
type Process struct {
	In  io.WriteCloser // its standard input; nil unless it is of StartSelf, as is Out
	Out *bufio.Reader  // what it prints

	cmd *exec.Cmd
}

// Kill ends the process and waits for its end. A second call does nothing.
func (p *Process) Kill() {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Kill() // fails if it has ended
	_ = p.cmd.Wait()         // "signal: killed"
}

// StartSelf starts this program once more, with other arguments.
func StartSelf(ctx context.Context, args ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := command(ctx, self, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &Process{In: stdin, Out: bufio.NewReader(stdout), cmd: cmd}, cmd.Start()
}

// StartMemcached starts a memcached on a port of its choice and returns its address.
func StartMemcached(ctx context.Context) (*Process, string, error) {
	dir, err := os.MkdirTemp("", "memcached-")
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = os.RemoveAll(dir) }() // at worst an empty directory is left
	ports := filepath.Join(dir, "ports")
	args := []string{"-l", "127.0.0.1", "-p", "-1", "-U", "0", "-m", "1024", "-t", "2"}
	if os.Geteuid() == 0 {
		args = append(args, "-u", "root") // it refuses to run as root unless told so
	}
	cmd := command(ctx, memcachedPath(), args...)
	cmd.Env = append(os.Environ(), "MEMCACHED_PORT_FILENAME="+ports)
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("%w: install memcached 1.6", err)
	}
	p := &Process{cmd: cmd}
	addr, err := readPort(ctx, ports)
	if err != nil {
		p.Kill()
		return nil, "", fmt.Errorf("memcached does not start: %w", err)
	}
	return p, addr, nil
}

// memcachedPath also looks where Debian keeps servers, which is not in everybody's PATH.
func memcachedPath() string {
	for _, name := range []string{"memcached", "/usr/bin/memcached", "/usr/sbin/memcached"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return "memcached"
}

// readPort waits for the file into which memcached writes its port.
func readPort(ctx context.Context, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		text, err := os.ReadFile(name)
		if _, port, ok := strings.Cut(strings.TrimSpace(string(text)), "TCP INET: "); ok {
			return "127.0.0.1:" + port, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = childAttr()
	return cmd
}

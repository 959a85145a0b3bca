package servers

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = 20 * time.Second // slow machines under the race detector
	stopTimeout  = 30 * time.Second
)

// A Process is a child process of one test. It may be started, ended and
// started again any number of times, always with the same arguments. Its
// methods may be called from several goroutines, except that Start, Kill and
// Stop of one Process must not overlap.
type Process struct {
	t      testing.TB
	path   string
	args   []string
	attr   *syscall.SysProcAttr
	ready  func() error
	output *tail

	mu  sync.Mutex // guards run
	run *run       // the current or the last life; nil before the first
}

// run is one life of a process.
type run struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended and was waited for
	err  error         // its exit error, valid after done
}

// NewProcess describes a child process; Start starts it. ready is asked until
// it returns nil, and Start returns then; nil asks nothing.
func NewProcess(t testing.TB, ready func() error, path string, args ...string) *Process {
	p := &Process{
		t: t, path: path, args: args, ready: ready,
		attr:   childAttr(syscall.SIGKILL),
		output: &tail{limit: 64 << 10},
	}
	t.Cleanup(p.cleanup)
	return p
}

// Start starts the process and waits until it is ready. It fails the test if
// the process does not come up.
func (p *Process) Start() {
	p.t.Helper()
	if p.Running() {
		p.t.Fatalf("%s runs already", p.path)
	}
	cmd := exec.Command(p.path, p.args...)
	cmd.Stdout, cmd.Stderr = p.output, p.output
	cmd.Env = environment()
	cmd.SysProcAttr = p.attr
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("starting %s: %v", p.path, err)
	}
	life := &run{cmd: cmd, done: make(chan struct{})}
	go func() {
		life.err = cmd.Wait()
		close(life.done)
	}()
	p.mu.Lock()
	p.run = life
	p.mu.Unlock()
	p.waitReady(life)
}

func (p *Process) waitReady(life *run) {
	p.t.Helper()
	if p.ready == nil {
		return
	}
	deadline := time.After(startTimeout)
	for {
		err := p.ready()
		if err == nil {
			return
		}
		select {
		case <-life.done:
			p.t.Fatalf("%s ended at its start: %v", p.path, life.err)
		case <-deadline:
			p.t.Fatalf("%s is not ready after %v: %v", p.path, startTimeout, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Running reports whether the process has been started and has not ended.
func (p *Process) Running() bool {
	life := p.life()
	if life == nil {
		return false
	}
	select {
	case <-life.done:
		return false
	default:
		return true
	}
}

// Pid is the process id of the current or the last life, 0 before the first.
func (p *Process) Pid() int {
	if life := p.life(); life != nil {
		return life.cmd.Process.Pid
	}
	return 0
}

// Kill ends the process and its children with SIGKILL and waits for its end.
func (p *Process) Kill() {
	if p.Running() {
		p.signalGroup(syscall.SIGKILL)
		<-p.life().done
	}
}

// Stop asks the process to end with SIGTERM, waits for it, and returns its
// exit error. One that does not end in time is killed and fails the test.
func (p *Process) Stop() error {
	p.t.Helper()
	if !p.Running() {
		return nil
	}
	life := p.life()
	if err := life.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-life.done:
		return life.err
	case <-time.After(stopTimeout):
		p.t.Errorf("%s did not end within %v of SIGTERM", p.path, stopTimeout)
		p.Kill()
		return os.ErrDeadlineExceeded
	}
}

// Freeze stops the process with SIGSTOP and waits until it stands still: it
// keeps its connections and answers nothing. Thaw lets it go on.
func (p *Process) Freeze() {
	p.signalGroup(syscall.SIGSTOP)
	deadline := time.Now().Add(stopTimeout)
	// Each thread stops by itself, some while after the signal was sent.
	for p.Running() && !frozen(p.Pid()) {
		if time.Now().After(deadline) {
			p.t.Errorf("%s goes on %v after SIGSTOP", p.path, stopTimeout)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// Thaw ends Freeze.
func (p *Process) Thaw() { p.signalGroup(syscall.SIGCONT) }

// Output is the end of what all lives of the process printed.
func (p *Process) Output() string { return p.output.String() }

// signalGroup reaches the process and its children: each Process leads a
// process group of its own, and the group's id stays taken until its leader
// has been waited for.
func (p *Process) signalGroup(sig syscall.Signal) {
	if !p.Running() {
		return
	}
	if err := syscall.Kill(-p.Pid(), sig); err != nil {
		p.t.Errorf("sending %v to %s: %v", sig, p.path, err)
	}
}

func (p *Process) life() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run
}

func (p *Process) cleanup() {
	p.Kill()
	if p.t.Failed() {
		p.t.Logf("the last output of %s %q:\n%s", p.path, p.args, p.output)
	}
}

// tail keeps the last bytes that were written to it.
type tail struct {
	limit int

	mu  sync.Mutex // guards buf
	buf []byte
}

func (w *tail) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf, b...)
	if over := len(w.buf) - w.limit; over > 0 {
		w.buf = append(w.buf[:0], w.buf[over:]...)
	}
	return len(b), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.buf)
}

// environment is this process's, without the switches of our tests: to the
// holdfast command such variables would be unknown settings.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "HOLDFAST_")
	})
}

package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// A Proxy forwards every connection that it accepts to one server. Its methods
// may be called from several goroutines.
type Proxy struct {
	Addr string // where clients connect: 127.0.0.1:port

	t       testing.TB
	server  string
	running sync.WaitGroup // every goroutine of the proxy

	mu       sync.Mutex // guards what follows
	listener net.Listener
	lines    map[*line]bool
	fault    fault
	count    *count // nil: nothing is counted
	closed   bool
}

// line is one connection of a client with its connection to the server.
type line struct {
	client, server net.Conn
	gone           chan struct{} // closed with the connections
	close          func()

	mu      sync.Mutex // guards what follows
	swallow bool       // answers are dropped until the server says MN, then the line is reset
	dropped []byte     // what was dropped so far
}

// Start starts a proxy in front of server (host:port) until the test ends.
func Start(t testing.TB, server string) *Proxy {
	t.Helper()
	p := &Proxy{t: t, server: server, lines: map[*line]bool{}}
	// A port that no outgoing connection can take while the line is cut.
	listener, err := servers.Listen(fmt.Sprintf("127.0.0.1:%d", servers.FreePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	p.Addr = listener.Addr().String()
	p.serve(listener)
	t.Cleanup(p.shutDown)
	return p
}

func (p *Proxy) serve(listener net.Listener) {
	p.mu.Lock()
	p.listener = listener
	p.mu.Unlock()
	p.running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.open(client)
		}
	})
}

// open connects to the server. If there is none the client sees its
// connection end, as through any forwarder.
func (p *Proxy) open(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		client.Close()
		return
	}
	l := &line{client: client, server: server, gone: make(chan struct{})}
	l.close = sync.OnceFunc(func() {
		close(l.gone)
		client.Close()
		server.Close()
	})
	p.mu.Lock()
	if p.closed || p.listener == nil {
		l.reset() // accepted just before Cut
	} else {
		p.lines[l] = true
	}
	p.mu.Unlock()
	p.running.Go(func() { p.forwardCommands(l) })
	p.running.Go(func() { p.forwardAnswers(l) })
}

func (p *Proxy) forwardCommands(l *line) {
	defer p.forget(l)
	in := bufio.NewReader(l.client)
	for {
		cmd, err := readCommand(in)
		if err != nil {
			return
		}
		out, keep := p.pass(l, cmd)
		if !keep {
			return
		}
		if _, err := l.server.Write(out); err != nil {
			return
		}
	}
}

// pass counts a command and says what is sent to the server in its place, and
// whether the line goes on.
func (p *Proxy) pass(l *line, cmd Command) (out []byte, keep bool) {
	switch p.arrived(cmd) {
	case Drop:
		return nil, true
	case ResetBefore:
		l.reset()
		return nil, false
	case Refuse:
		return []byte("unheard-of\r\n"), true
	case ResetAfter:
		l.mu.Lock()
		l.swallow = true
		l.mu.Unlock()
		// The server answers in order: its MN says that the command is done.
		return append(cmd.raw, "mn\r\n"...), true
	default:
		return cmd.raw, true
	}
}

func (p *Proxy) forwardAnswers(l *line) {
	defer p.forget(l)
	buf := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buf)
		if err != nil {
			return
		}
		if l.swallowed(buf[:n]) {
			continue
		}
		if p.passAnswer(l, buf[:n]) != nil {
			return
		}
	}
}

// swallowed drops an answer that the client is not to see, and resets the line
// when the server has done all that came before.
func (l *line) swallowed(answer []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.swallow {
		return false
	}
	l.dropped = append(l.dropped, answer...)
	if bytes.HasSuffix(l.dropped, []byte("MN\r\n")) {
		l.reset()
	}
	return true
}

// reset ends the connection so that the client sees a reset, not an end.
func (l *line) reset() {
	if tcp, ok := l.client.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails on a closed connection only
	}
	l.close()
}

// sleep waits, but not longer than the line lives.
func (l *line) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-l.gone:
	}
}

func (p *Proxy) forget(l *line) {
	l.close()
	p.mu.Lock()
	delete(p.lines, l)
	p.mu.Unlock()
}

func (p *Proxy) shutDown() {
	p.mu.Lock()
	p.closed = true
	if p.listener != nil {
		p.listener.Close()
	}
	for l := range p.lines {
		l.close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

package integration

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/node"
)

// A pair is a memcached and a node with the same settings.
type pair struct {
	addrs [2]string
	conns [2]net.Conn
	asked int
}

func startPair(t *testing.T) *pair {
	t.Helper()
	// So much memory that neither evicts: which items go first is not compared.
	// And no background thread: it holds on to items, and an incr does not write
	// the number in the place of the old one then.
	memcached := servers.StartMemcached(t, "-m", "1024", "-o", "no_lru_maintainer,no_lru_crawler")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := node.New(&node.Options{MaxMemory: 1 << 30})
	ended := make(chan error, 1)
	go func() { ended <- n.Serve(l) }()
	t.Cleanup(func() {
		n.Close()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	p := &pair{addrs: [2]string{memcached.Addr, l.Addr().String()}}
	for i, addr := range p.addrs {
		if p.conns[i], err = net.Dial("tcp", addr); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.conns[i].Close() })
	}
	return p
}

// ask sends the commands to both and returns their answers, one element a
// command.
func (p *pair) ask(t *testing.T, commands []string) (memcached, embedded []string) {
	t.Helper()
	// mn after each command shows where its answer ends, also if it has none,
	// and makes memcached send what it has: it holds on to items that are still
	// to be sent, and does not write a number in their place.
	const mark = "MN\r\n"
	var text bytes.Buffer
	for _, command := range commands {
		text.WriteString(command + "mn\r\n")
	}
	p.asked++
	end := fmt.Sprintf("Oend%d", p.asked)
	text.WriteString("mg nothing " + end + "\r\n")
	var answers [2][]byte
	var errs [2]error
	done := make(chan struct{})
	go func() {
		defer close(done)
		answers[1], errs[1] = exchange(p.conns[1], text.Bytes(), []byte("EN "+end+"\r\n"))
	}()
	answers[0], errs[0] = exchange(p.conns[0], text.Bytes(), []byte("EN "+end+"\r\n"))
	<-done
	for i, name := range []string{"memcached", "the node"} {
		if errs[i] != nil {
			n := strings.Count(string(answers[i]), mark)
			t.Fatalf("%s: %v\nat %.300q\nafter %.300q", name, errs[i], commands[min(n, len(commands)-1)], commands[:n])
		}
	}
	return strings.Split(string(answers[0]), mark), strings.Split(string(versioned(answers[1])), mark)
}

// compare asks and reports every difference.
func (p *pair) compare(t *testing.T, commands []string) {
	t.Helper()
	memcached, embedded := p.ask(t, commands)
	for i, command := range commands {
		if !alike(memcached[i], embedded[i]) {
			t.Errorf("%q: memcached answers %q, the node %q", command, memcached[i], embedded[i])
		}
	}
}

// wait waits until the clocks of both have gone on by so many seconds.
// memcached's may be late.
func (p *pair) wait(t *testing.T, seconds int) {
	t.Helper()
	began := [2]int{uptime(t, p.conns[0]), uptime(t, p.conns[1])}
	for i, conn := range p.conns {
		for uptime(t, conn) < began[i]+seconds {
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// uptime returns for how many seconds a server has run, on its own clock.
func uptime(t *testing.T, conn net.Conn) int {
	t.Helper()
	answer, err := exchange(conn, []byte("stats\r\n"), []byte("END\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(answer), "STAT uptime ")
	var seconds int
	if _, err := fmt.Sscan(after, &seconds); err != nil {
		t.Fatalf("no uptime in %q: %v", answer, err)
	}
	return seconds
}

// exchange sends text and reads up to end.
func exchange(conn net.Conn, text, end []byte) ([]byte, error) {
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(text)
		sent <- err
	}()
	var answer []byte
	for buf := make([]byte, 64<<10); !bytes.HasSuffix(answer, end); {
		n, err := conn.Read(buf)
		answer = append(answer, buf[:n]...)
		if err != nil {
			return answer, err
		}
	}
	return answer, <-sent
}

// untilEnd sends text on a connection of its own and reads until it ends.
func untilEnd(t *testing.T, addr, text string) []byte {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Write([]byte(text)) // fails when the server ends the connection first
	var answer []byte
	for buf := make([]byte, 4096); ; {
		n, err := conn.Read(buf)
		answer = append(answer, buf[:n]...)
		if os.IsTimeout(err) {
			t.Fatalf("%s keeps the connection open after %.60q", addr, text)
		}
		if err != nil {
			return answer
		}
	}
}

// versioned gives the node's answer the name of the memcached that it is like.
func versioned(answer []byte) []byte {
	return bytes.ReplaceAll(answer, []byte("VERSION "+node.Version), []byte("VERSION 1.6.18"))
}

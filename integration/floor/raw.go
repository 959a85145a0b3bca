package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"

	"github.com/holdfast-sessions/holdfast/placement"
)

// A pair is two nodes and one connection to each. What it does is what a non-sticky
// request of Holdfast does, byte for byte, by hand: the least that it can cost in Go.
type pair [2]*line

// A line is a connection to a node, with what waits to be written.
type line struct {
	conn   net.Conn
	in     *bufio.Reader
	out    []byte
	answer []byte // the last one with a value
}

// An exchange is the commands for one session, encoded, up to the versions.
type exchange struct {
	home int
	get  []byte // to the home
	head []byte // to the copy; nil without one
	set  []byte // the conditional write, up to the version
	rest []byte // behind it, with the value
}

func dial(addrs []string) (pair, error) {
	var p pair
	for i, addr := range addrs {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			p.close()
			return p, err
		}
		p[i] = &line{conn: conn, in: bufio.NewReaderSize(conn, 256<<10)}
	}
	return p, nil
}

func (p pair) close() {
	for _, l := range p {
		if l != nil {
			l.conn.Close()
		}
	}
}

// opaque is as long as most that Holdfast sends.
const opaque = " O12345\r\n"

// exchange reads the session of a cookie and encodes what reads and writes it again.
func (p pair) exchange(cookie string, copies int) (*exchange, error) {
	_, id, _ := bytes.Cut([]byte(cookie), []byte("="))
	if len(id) < 26 {
		return nil, fmt.Errorf("no session id in a cookie of %d bytes", len(cookie))
	}
	key := placement.StorageKey("", string(id[:26]))
	e := &exchange{get: []byte("mg " + key + " v c f t" + opaque)}
	if copies == 2 {
		e.head = []byte("mg " + key + " c f t" + opaque)
		if bytes.Contains(id, []byte("-n2")) {
			e.home = 1
		}
	}
	home := p[e.home]
	home.out = append(home.out, e.get...)
	if err := home.flush(); err != nil {
		return nil, err
	}
	answer, value, err := home.receive()
	if err != nil {
		return nil, err
	}
	e.set = fmt.Appendf(nil, "ms %s %d c F%s T%s C", key, len(value), field(answer, 'f'), field(answer, 't'))
	e.rest = append(append([]byte(opaque), value...), "\r\n"...)
	return e, nil
}

// do does what a request does, for all sessions of batch at once: one flight of reads,
// and for a change one of writes.
func (p pair) do(batch []*exchange, versions [][2][]byte, change bool) error {
	for _, e := range batch {
		p.queue(e.home, e.get)
		p.queue(1-e.home, e.head)
	}
	if err := p.fly(batch, func(i, node int, version []byte) { versions[i][node] = append(versions[i][node][:0], version...) }); err != nil || !change {
		return err
	}
	for i, e := range batch {
		p.queue(e.home, e.set, versions[i][e.home], e.rest)
		if e.head != nil {
			p.queue(1-e.home, e.set, versions[i][1-e.home], e.rest)
		}
	}
	return p.fly(batch, func(int, int, []byte) {})
}

func (p pair) queue(node int, parts ...[]byte) {
	for _, part := range parts {
		p[node].out = append(p[node].out, part...)
	}
}

// fly writes what is queued to each node at once, then reads the answers.
func (p pair) fly(batch []*exchange, got func(i, node int, version []byte)) error {
	for _, l := range p {
		if err := l.flush(); err != nil {
			return err
		}
	}
	for node, l := range p {
		for i, e := range batch {
			if e.home != node && e.head == nil {
				continue
			}
			answer, _, err := l.receive()
			if err != nil {
				return err
			}
			got(i, node, field(answer, 'c'))
		}
	}
	return nil
}

func (l *line) flush() error {
	if len(l.out) == 0 {
		return nil
	}
	_, err := l.conn.Write(l.out)
	l.out = l.out[:0]
	return err
}

// receive returns the line of an answer and the value behind it. Both are good until
// the next one.
func (l *line) receive() (answer, value []byte, err error) {
	answer, err = l.in.ReadSlice('\n')
	switch {
	case err != nil:
		return nil, nil, err
	case bytes.HasPrefix(answer, []byte("HD ")):
		return answer, nil, nil
	case !bytes.HasPrefix(answer, []byte("VA ")):
		return nil, nil, fmt.Errorf("the node answers %q", answer)
	}
	size := 0
	for _, digit := range answer[3:] {
		if digit == ' ' {
			break
		}
		size = 10*size + int(digit-'0')
	}
	l.answer = append(l.answer[:0], answer...) // the next Peek may move what it was read from
	value, err = l.in.Peek(size + 2)
	if err == nil {
		_, err = l.in.Discard(size + 2)
	}
	return l.answer, value[:min(size, len(value))], err
}

// field is what follows a letter in an answer.
func field(answer []byte, name byte) []byte {
	for i := 2; i+1 < len(answer); i++ {
		if answer[i] == ' ' && answer[i+1] == name {
			end := bytes.IndexAny(answer[i+2:], " \r")
			return answer[i+2 : i+2+end]
		}
	}
	return nil
}

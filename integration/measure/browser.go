package measure

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// answerTimeout is far above what any server that is measured waits.
const answerTimeout = 30 * time.Second

// A Browser sends one request at a time over one connection that stays. It knows just
// enough of HTTP for the answers of our handlers: a client that knows more takes
// processor time from the servers that are measured.
type Browser struct {
	Addr string   // of the server
	conn net.Conn // nil before the first request, and after a failure
	in   *bufio.Reader
	out  []byte
	page Page
}

// A Page is an answer. It is valid until the browser's next request.
type Page struct {
	Status int
	Cookie []byte // name=value; empty if none was set
	Body   []byte
}

// Send sends the request for the session of the cookie; line is method, space and path
// or the first part of it.
func (b *Browser) Send(ctx context.Context, line, path string, cookie []byte) (*Page, error) {
	if b.conn == nil {
		if err := b.dial(ctx); err != nil {
			return nil, err
		}
	}
	b.out = append(append(b.out[:0], line...), path...)
	b.out = append(b.out, " HTTP/1.1\r\nHost: measured\r\nContent-Length: 0\r\n"...)
	if len(cookie) > 0 {
		b.out = append(append(append(b.out, "Cookie: "...), cookie...), '\r', '\n')
	}
	b.out = append(b.out, '\r', '\n')
	err := b.conn.SetDeadline(time.Now().Add(answerTimeout))
	if err == nil {
		_, err = b.conn.Write(b.out)
	}
	if err == nil {
		err = b.receive()
	}
	if err != nil {
		b.Close()
		return nil, err
	}
	return &b.page, nil
}

func (b *Browser) dial(ctx context.Context) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", b.Addr)
	if err != nil {
		return err
	}
	b.conn, b.in = conn, bufio.NewReaderSize(conn, 16<<10)
	return nil
}

func (b *Browser) receive() error {
	line, err := b.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return fmt.Errorf("not an answer: %q", line)
	}
	b.page.Status, err = strconv.Atoi(string(line[9:12]))
	if err != nil {
		return err
	}
	b.page.Cookie = b.page.Cookie[:0]
	size, err := b.receiveHeader()
	if err != nil {
		return err
	}
	b.page.Body = append(b.page.Body[:0], make([]byte, size)...)
	_, err = io.ReadFull(b.in, b.page.Body)
	return err
}

// receiveHeader returns the size of the body.
func (b *Browser) receiveHeader() (size int, err error) {
	size = -1
	for {
		line, err := b.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if size, err = strconv.Atoi(string(v)); err != nil {
				return 0, err
			}
		}
		if v, ok := bytes.CutPrefix(line, []byte("Set-Cookie: ")); ok {
			v, _, _ = bytes.Cut(v, []byte(";"))
			b.page.Cookie = append(b.page.Cookie[:0], v...)
		}
	}
	if size < 0 {
		return 0, errors.New("an answer without Content-Length")
	}
	return size, nil
}

// Close ends the connection; the next request opens another.
func (b *Browser) Close() {
	if b.conn != nil {
		b.conn.Close()
		b.conn = nil
	}
}

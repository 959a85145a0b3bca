package node

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"time"
)

const (
	// lineSize bounds what is kept of a command line that does not end, but for
	// the get commands.
	lineSize = 2 << 10

	bufferSize = 16 << 10

	// longLineSize bounds the line of a get of many keys.
	longLineSize = 1 << 20

	maxKey = 250
)

var (
	errQuit    = errors.New("the client said quit")
	errTooLong = errors.New("line too long")
)

// A client is the node's side of one connection.
type client struct {
	srv     *Server
	in      *bufio.Reader
	out     *bufio.Writer
	command []byte // the line of this command
	quiet   bool   // it wants no answer
	line    []byte // its answer under construction
}

func newClient(srv *Server, conn net.Conn) *client {
	out := bufio.NewWriterSize(&counted{conn, srv}, bufferSize)
	return &client{srv: srv, out: out, in: bufio.NewReaderSize(&flushing{&counted{conn, srv}, out}, bufferSize)}
}

// flushing sends what was answered before it waits for more commands: commands
// that came together are answered together.
type flushing struct {
	io.Reader
	out *bufio.Writer
}

func (f *flushing) Read(p []byte) (int, error) {
	if err := f.out.Flush(); err != nil {
		return 0, err
	}
	return f.Reader.Read(p)
}

// turnAway tells a client that there are too many.
func turnAway(conn net.Conn) {
	_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(conn, "ERROR Too many open connections\r\n")
}

// serve answers commands until the connection ends.
func (cl *client) serve() {
	defer func() { _ = cl.out.Flush() }() // a client that has left needs no answer
	if first, err := cl.in.Peek(1); err != nil || first[0] == 0x80 {
		return // the binary protocol
	}
	for {
		line, err := cl.readLine()
		if err != nil {
			return
		}
		// The data block that may follow takes the place of the line.
		cl.command = append(cl.command[:0], line...)
		cl.quiet = false
		if err := cl.run(split(cl.command)); err != nil {
			return
		}
	}
}

// readLine returns the next line without its end. It is good until the next read.
func (cl *client) readLine() ([]byte, error) {
	for seen := 0; ; {
		begin, err := cl.in.Peek(max(seen+1, cl.in.Buffered()))
		if i := bytes.IndexByte(begin[seen:], '\n'); i >= 0 {
			seen += i
			_, err = cl.in.Discard(seen + 1)
			return bytes.TrimSuffix(begin[:seen], []byte{'\r'}), err
		}
		if err != nil {
			return nil, err
		}
		// As in memcached, a longer line is fine if it comes at once.
		if seen = len(begin); seen > lineSize {
			return cl.readLongLine(begin)
		}
	}
}

// readLongLine reads on after begin. Only a get of many keys may be so long.
func (cl *client) readLongLine(begin []byte) ([]byte, error) {
	word := bytes.TrimLeft(begin, " ")
	if !bytes.HasPrefix(word, []byte("get ")) && !bytes.HasPrefix(word, []byte("gets ")) {
		return nil, errTooLong
	}
	var line []byte
	for len(line) <= longLineSize {
		more, err := cl.in.ReadSlice('\n')
		line = append(line, more...)
		switch {
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
	return nil, errTooLong
}

// readValue reads a data block into value, and reports whether it ended as it
// must.
func (cl *client) readValue(value []byte) (ok bool, err error) {
	if _, err := io.ReadFull(cl.in, value); err != nil {
		return false, err
	}
	var end [2]byte
	_, err = io.ReadFull(cl.in, end[:])
	return string(end[:]) == "\r\n", err
}

// skipValue reads past a data block.
func (cl *client) skipValue(length int) error {
	_, err := io.CopyN(io.Discard, cl.in, int64(length)+2)
	return err
}

// reply answers with a line, unless the command asked for no answer. Errors in
// writing show at the next read.
func (cl *client) reply(line string) {
	if !cl.quiet {
		cl.refuse(line)
	}
}

// refuse answers with a line in any case.
func (cl *client) refuse(line string) {
	_, _ = cl.out.WriteString(line)
	_, _ = cl.out.WriteString("\r\n")
}

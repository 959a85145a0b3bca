package node

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzCommands sends any bytes: the node must not panic, must not hang, must
// not depend on how the bytes arrive, must keep its books, and must answer every
// line.
func FuzzCommands(f *testing.F) {
	for _, text := range []string{
		"mg a v c f k t s O1 q h l u T9 N9 R9\r\n", "ms a 2 T9 F1 c ME\r\nxy\r\nmg a v\r\n", "ms YQ== 1 b C1 I q\r\nx\r\nmd YQ== b I T9\r\nmg a v\r\n",
		"ma n N0 J5 D2 MD v t c\r\nma n\r\nma n MI C9\r\n", "me a\r\nmn\r\nme YQ== b\r\n", "set a 1 100 3\r\nabc\r\nget a b\r\ngets a\r\ngat 9 a\r\n",
		"cas a 0 0 1 1 noreply\r\nx\r\nappend a 0 0 1\r\ny\r\nprepend a 0 0 1\r\nz\r\n", "incr a 1\r\ndecr a 18446744073709551615\r\ntouch a -1\r\n",
		"delete a 0 noreply\r\nflush_all 10\r\nverbosity 1\r\nversion\r\nstats\r\nstats settings\r\nstats reset\r\nquit\r\n",
		"set a 0 0 5\r\nab\r\nmn\r\n", "set a 0 0 2000\r\n" + strings.Repeat("x", 2000) + "\r\n", "ms a -1\r\n", "get \x00\r\n", "\n\n\r\n", "set a 0 0 2147483645\r\nx",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		whole := dialogue(t, bytes.NewReader(text))
		if len(text) < lineSize { // a longer line must come at once
			if single := dialogue(t, iotest.OneByteReader(bytes.NewReader(text))); !bytes.Equal(whole, single) {
				t.Errorf("%q is answered %q; byte by byte, %q", text, whole, single)
			}
		}
		line, _, _ := bytes.Cut(text, []byte("\n"))
		answersLine(t, line)
	})
}

// dialogue returns the answers of a small new node to what it reads from in.
func dialogue(t *testing.T, in io.Reader) []byte {
	t.Helper()
	srv := New(&Options{MaxItem: 1 << 10, MaxMemory: 4 << 10})
	var out bytes.Buffer
	newClient(srv, &script{in: in, out: &out}).serve()
	checkBooks(t, srv.cache)
	if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\r\n")) {
		t.Errorf("the last answer is not whole: %q", out.Bytes())
	}
	// pid, clocks and counts of bytes differ from one to the next.
	if bytes.Contains(out.Bytes(), []byte("STAT pid")) {
		return nil
	}
	return out.Bytes()
}

// checkBooks compares what the cache believes to hold with what it holds.
func checkBooks(t *testing.T, c *cache) {
	t.Helper()
	memory, size, n := 0, 0, 0
	for it := c.ring.older; it != &c.ring; it = it.older {
		memory, size, n = memory+it.charge(), size+it.size(), n+1
		if c.items[it.key] != it {
			t.Errorf("item %q is in the list and not in the map", it.key)
		}
	}
	if memory != c.memory || size != c.bytes || n != len(c.items) || memory > c.limit {
		t.Errorf("%d items of %d bytes with a charge of %d; booked: %d of %d with %d, limit %d", n, size, memory, len(c.items), c.bytes, c.memory, c.limit)
	}
}

// answersLine sends one line. Without an answer are: a command that is to be
// quiet, one whose value is missing here, and quit.
func answersLine(t *testing.T, line []byte) {
	t.Helper()
	line = bytes.TrimRight(line, "\r\n")
	words := split(line)
	if bytes.ContainsAny(line, "q") || bytes.Contains(line, []byte("noreply")) || len(line) > lineSize || len(line) > 0 && line[0] == 0x80 {
		return
	}
	if len(words) > 0 {
		switch string(words[0]) {
		case "ms", "set", "add", "replace", "append", "prepend", "cas":
			return
		}
	}
	if out := dialogue(t, io.MultiReader(bytes.NewReader(line), strings.NewReader("\r\nmn\r\n"))); out != nil && !bytes.HasSuffix(out, []byte("\r\nMN\r\n")) {
		t.Errorf("%q is not answered: %q", line, out)
	}
}

// A script is a connection on which everything has been sent before.
type script struct {
	net.Conn
	in  io.Reader
	out *bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error) { return s.out.Write(p) }

package staging

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// startLine is a line to something that sends back what it gets.
func startLine(t *testing.T) *line {
	t.Helper()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	l, err := newLine(echo.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = echo.Close()
		if err := l.Close(); err != nil {
			t.Errorf("Close: got %v", err)
		}
	})
	return l
}

type caller struct {
	net.Conn
	in *bufio.Reader
}

func call(t *testing.T, l *line) *caller {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &caller{conn, bufio.NewReader(conn)}
}

// says returns how long the echo took.
func (c *caller) says(text string) (time.Duration, error) {
	start := time.Now()
	if _, err := fmt.Fprintln(c, text); err != nil {
		return 0, err
	}
	got, err := c.in.ReadString('\n')
	if err == nil && got != text+"\n" {
		err = fmt.Errorf("got %q, want %q", got, text)
	}
	return time.Since(start), err
}

func TestLineCarriesBothWays(t *testing.T) {
	c := call(t, startLine(t))
	for i := range 100 {
		if _, err := c.says(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLineCanBeSlow(t *testing.T) {
	for name, trouble := range map[string]trouble{
		"latency each way": {latency: 30 * time.Millisecond},
		"a low rate":       {rate: 200}, // 6 bytes: 30 ms
	} {
		t.Run(name, func(t *testing.T) {
			l := startLine(t)
			l.set(trouble)
			c := call(t, l)
			total := time.Duration(0)
			for range 3 {
				took, err := c.says("hello")
				if err != nil {
					t.Fatal(err)
				}
				total += took
			}
			if total < 55*time.Millisecond {
				t.Errorf("three echoes took %v: the trouble is not felt", total)
			}
		})
	}
}

func TestLineResetsItsConnections(t *testing.T) {
	l := startLine(t)
	c := call(t, l)
	if _, err := c.says("before"); err != nil {
		t.Fatal(err)
	}
	l.reset()
	if _, err := c.says("after"); err == nil {
		t.Error("the connection goes on")
	}
	if _, err := call(t, l).says("again"); err != nil {
		t.Errorf("a new connection: %v", err)
	}
}

func TestCutLineHasNoConnections(t *testing.T) {
	l := startLine(t)
	c := call(t, l)
	if _, err := c.says("before"); err != nil {
		t.Fatal(err)
	}
	l.set(trouble{cut: true})
	if _, err := c.says("after"); err == nil {
		t.Error("the connection goes on")
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil { // it may be reset before Dial returns, or after
		defer conn.Close()
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("there is a new connection")
		}
	}
	l.set(trouble{})
	if _, err := call(t, l).says("mended"); err != nil {
		t.Errorf("after it was mended: %v", err)
	}
}

package wire_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/integration/wire"
)

// client speaks to the proxy as a memcached client would.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func start(t *testing.T) (*wire.Proxy, *client) {
	t.Helper()
	proxy := wire.Start(t, servers.StartMemcached(t).Addr)
	return proxy, connect(t, proxy.Addr)
}

func connect(t *testing.T, addr string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t, conn, bufio.NewReader(conn)}
}

func (c *client) send(commands string) {
	c.t.Helper()
	if _, err := fmt.Fprint(c.conn, commands); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) expect(line string) {
	c.t.Helper()
	if got, err := c.line(10 * time.Second); err != nil || got != line+"\r\n" {
		c.t.Fatalf("got %q, %v, want %q", got, err, line)
	}
}

func (c *client) line(patience time.Duration) (string, error) {
	c.conn.SetReadDeadline(time.Now().Add(patience))
	return c.in.ReadString('\n')
}

func TestCountsCommandsAndWaits(t *testing.T) {
	proxy, c := start(t)
	for _, test := range []struct {
		name string
		do   func()
		want string
	}{
		{"nothing", func() {}, "0 waits"},
		{"one command", func() {
			c.send("mg k v\r\n")
			c.expect("EN")
		}, "1 waits, mg 1"},
		{"two in one flight", func() {
			c.send("mg a v\r\nmg b v\r\n")
			c.expect("EN")
			c.expect("EN")
		}, "1 waits, mg 2"},
		{"two in one flight, sent one by one", func() {
			c.send("mg a v\r\n")
			time.Sleep(time.Millisecond)
			c.send("mg b v\r\n")
			c.expect("EN")
			c.expect("EN")
		}, "1 waits, mg 2"},
		{"one after the other", func() {
			c.send("ms k 4\r\nmg x\r\n")
			c.expect("HD")
			c.send("mg k\r\n")
			c.expect("HD")
		}, "2 waits, mg 1, ms 1"},
		{"one after the other on two connections", func() {
			c.send("mg k\r\n")
			c.expect("HD")
			other := connect(t, proxy.Addr)
			other.send("md k\r\n")
			other.expect("HD")
		}, "2 waits, md 1, mg 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := proxy.During(test.do).String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestDuringCountsSeveralLinesAsOne(t *testing.T) {
	first, a := start(t)
	second, b := start(t)
	together := func() {
		a.send("mg k\r\n")
		b.send("mg k\r\n")
		a.expect("EN")
		b.expect("EN")
	}
	if got, want := wire.During(together, first, second).String(), "1 waits, mg 2"; got != want {
		t.Errorf("sent together: %s, want %s", got, want)
	}
	inTurn := func() {
		a.send("mg k\r\n")
		a.expect("EN")
		b.send("ms k 1\r\nx\r\n")
		b.expect("HD")
	}
	if got, want := wire.During(inTurn, first, second).String(), "2 waits, mg 1, ms 1"; got != want {
		t.Errorf("sent in turn: %s, want %s", got, want)
	}
}

func TestStepTotal(t *testing.T) {
	s := wire.Step{Commands: map[string]int{"mg": 2, "ms": 1, "version": 4}}
	if got := s.Total(); got != 7 {
		t.Errorf("total %d, want 7", got)
	}
	if got := s.Total("mg", "ms"); got != 3 {
		t.Errorf("total of mg and ms %d, want 3", got)
	}
}

func TestResetBeforeLeavesTheItemAlone(t *testing.T) {
	proxy, c := start(t)
	proxy.Once("ms", wire.ResetBefore)
	c.send("ms k 1\r\nx\r\n")
	wantReset(t, c)
	again := connect(t, proxy.Addr)
	again.send("mg k v\r\n")
	again.expect("EN")
}

func TestResetAfterAppliesTheCommandAndLosesItsAnswer(t *testing.T) {
	proxy, c := start(t)
	proxy.Once("ms", wire.ResetAfter)
	c.send("ms k 1\r\nx\r\n")
	wantReset(t, c)
	again := connect(t, proxy.Addr)
	again.send("mg k v\r\n")
	again.expect("VA 1")
	again.expect("x")
	again.send("ms k 1\r\ny\r\n") // once is over
	again.expect("HD")
}

func TestHangAnswersNothingUntilMend(t *testing.T) {
	proxy, c := start(t)
	proxy.Hang()
	c.send("ms k 1\r\nx\r\n")
	if got, err := c.line(100 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a hung line gave %q, %v", got, err)
	}
	proxy.Mend()
	wantReset(t, c)
	again := connect(t, proxy.Addr)
	again.send("mg k\r\n")
	again.expect("EN") // the dropped command never arrived
}

func TestLoseAnswersLetsCommandsThrough(t *testing.T) {
	proxy, c := start(t)
	proxy.LoseAnswers()
	c.send("ms k 1\r\nx\r\n")
	if got, err := c.line(100 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %q, %v", got, err)
	}
	proxy.Mend()
	again := connect(t, proxy.Addr)
	again.send("mg k v\r\n")
	again.expect("VA 1")
}

func TestCutRefusesUntilMend(t *testing.T) {
	proxy, c := start(t)
	proxy.Cut()
	wantReset(t, c)
	if conn, err := net.Dial("tcp", proxy.Addr); !errors.Is(err, syscall.ECONNREFUSED) {
		if err == nil {
			conn.Close()
		}
		t.Errorf("dialing a cut line: %v, want it refused", err)
	}
	proxy.Mend()
	again := connect(t, proxy.Addr)
	again.send("mn\r\n")
	again.expect("MN")
}

func TestAnsweredWaitsForTheAnswer(t *testing.T) {
	proxy, c := start(t)
	answered := proxy.Answered("ms")
	c.send("mg k\r\n")
	c.expect("EN")
	select {
	case <-answered:
		t.Error("another command counted")
	default:
	}
	c.send("ms k 1\r\nx\r\n")
	c.expect("HD")
	select {
	case <-answered:
	case <-time.After(10 * time.Second):
		t.Error("the answer did not count")
	}
}

func TestDelayHoldsAnswersBack(t *testing.T) {
	proxy, c := start(t)
	const delay = 200 * time.Millisecond
	proxy.Delay(delay)
	sent := time.Now()
	c.send("mn\r\n")
	c.expect("MN")
	if took := time.Since(sent); took < delay {
		t.Errorf("the answer came after %v, want at least %v", took, delay)
	}
}

func TestDeadServerEndsTheConnection(t *testing.T) {
	mc := servers.StartMemcached(t)
	proxy := wire.Start(t, mc.Addr)
	mc.Kill()
	c := connect(t, proxy.Addr)
	if got, err := c.line(10 * time.Second); err == nil {
		t.Errorf("got %q from a dead server", got)
	}
}

func wantReset(t *testing.T, c *client) {
	t.Helper()
	if got, err := c.line(10 * time.Second); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("got %q, %v, want a reset", got, err)
	}
}

func TestRefusedCommandsAreAnsweredInTheirOrder(t *testing.T) {
	proxy, c := start(t)
	proxy.Intercept(func(cmd wire.Command) wire.Action {
		if cmd.Verb == "ms" {
			return wire.Refuse
		}
		return wire.Forward
	})
	c.send("mn\r\nms k 2\r\nab\r\nget k\r\n")
	c.expect("MN")
	c.expect("ERROR")
	c.expect("END")
}

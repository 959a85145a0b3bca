package overload

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// idleConnections have asked for something, and stay.
func idleConnections(t *testing.T, s *site) string {
	want := 2000
	if *full {
		want = 8000
	}
	if most := (raiseFileLimit(t) - 500) / 2; want > most { // each has an end in this process, too
		t.Logf("only %d connections in place of %d: the system permits no more open files (ulimit -Hn)", most, want)
		want = most
	}
	visitor := begin(t, s, "x=1")
	for range want {
		c, err := dial(s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.conn.Close()
		c.cookie = visitor.cookie
		if got, err := c.do(http.MethodGet, "/session", ""); err != nil || got.status != http.StatusOK {
			t.Fatalf("status %d, %v", got.status, err)
		}
	}
	time.Sleep(measured())
	return fmt.Sprintf("%d connections", want)
}

// Clients of each slow kind, and the requests that each of those that read slowly
// sends: their answers are more than what the system keeps for a connection.
const (
	slowClients = 200
	readers     = 40
	unread      = 20
)

// slowReaders begin one after the other, ask again and again for a session of 256 KiB
// and take the answers much later than the server has them.
func slowReaders(t *testing.T, s *site) string {
	visitor := begin(t, s, "big="+strings.Repeat("v", 256<<10))
	var reading sync.WaitGroup
	var whole atomic.Int64
	for i := range readers {
		reading.Go(func() {
			time.Sleep(measured() / 2 * time.Duration(i) / readers)
			whole.Add(readsSlowly(s, visitor.cookie, measured()/2/unread))
		})
	}
	reading.Wait()
	if whole.Load() != readers*unread {
		t.Errorf("%d of %d answers were read slowly in whole", whole.Load(), readers*unread)
	}
	return fmt.Sprintf("%d clients, %d answers of 256 KiB", readers, whole.Load())
}

// readsSlowly sends all its requests at once and takes an answer after each pause. It
// returns how many were whole.
func readsSlowly(s *site, cookie string, pause time.Duration) (whole int64) {
	c, err := dial(s.addr)
	if err != nil {
		return 0
	}
	defer c.conn.Close()
	c.cookie = cookie
	if _, err := io.WriteString(c.conn, strings.Repeat(c.header(http.MethodGet, "/session", 0), unread)); err != nil {
		return 0
	}
	for range unread {
		time.Sleep(pause)
		if !answersWhole(c) {
			return whole
		}
		whole++
	}
	return whole
}

func answersWhole(c *client) bool {
	resp, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return false
	}
	n, err := io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK && n > 256<<10
}

// slowSenders send a form byte by byte, each at moments of its own.
func slowSenders(t *testing.T, s *site) string {
	const form = "x=12345678"
	pause := measured() / time.Duration(len(form))
	var sending sync.WaitGroup
	var stored atomic.Int64
	for i := range slowClients {
		sending.Go(func() {
			time.Sleep(pause * time.Duration(i) / slowClients)
			if sendsSlowly(s, form, pause) {
				stored.Add(1)
			}
		})
	}
	sending.Wait()
	if stored.Load() != slowClients {
		t.Errorf("%d of %d slow senders were answered that their form is stored", stored.Load(), slowClients)
	}
	return fmt.Sprintf("%d clients, %d forms of 10 bytes", slowClients, stored.Load())
}

func sendsSlowly(s *site, form string, pause time.Duration) bool {
	c, err := dial(s.addr)
	if err != nil {
		return false
	}
	defer c.conn.Close()
	if _, err := io.WriteString(c.conn, c.header(http.MethodPost, "/session", len(form))); err != nil {
		return false
	}
	for i := range form {
		time.Sleep(pause)
		if _, err := io.WriteString(c.conn, form[i:i+1]); err != nil {
			return false
		}
	}
	resp, err := http.ReadResponse(c.reader, nil)
	return err == nil && resp.StatusCode == http.StatusOK
}

// slowNode makes each answer of one node take ten times as long.
func slowNode(t *testing.T, s *site) string {
	usual := s.line.roundTrip(t)
	s.line.slow(9 * usual)
	time.Sleep(measured())
	s.line.slow(0)
	for _, n := range s.stats(t).Nodes {
		if n.State != "up" {
			t.Errorf("node %s is %s: a slow one is to be used on", n.Name, n.State)
		}
	}
	return fmt.Sprintf("%v in place of %v", (10 * usual).Round(10*time.Microsecond), usual.Round(10*time.Microsecond))
}

// roundTrip is what an answer of the node usually takes.
func (l *line) roundTrip(t *testing.T) time.Duration {
	t.Helper()
	conn, err := net.Dial("tcp", l.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var took []time.Duration
	for range 200 {
		began := time.Now()
		if _, err := io.WriteString(conn, "mn\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	return slices.Sorted(slices.Values(took))[len(took)/2]
}

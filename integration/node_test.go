package integration

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/node"
)

// TestNodeAnswersAsMemcachedDoes sends the same commands to a memcached and to
// the embedded node and compares the answers byte by byte.
//
// What differs for good reasons, and is compared with a tolerance (see alike):
// times, since the two clocks do not tick together; the time since the last
// access (l, la), which memcached's background thread moves; the slab class
// (cls), which a node does not have.
//
// What is not sent: commands that only memcached has (watch, lru_crawler, slabs,
// cache_memlimit, stats but for its errors); flush_all with a delay, which in
// 1.6.18 brings back items that an earlier flush_all removed and nobody has
// asked for since; numbers in values of white space alone, where memcached reads
// past the end of the item.
//
// HOLDFAST_SEED=n gives another sequence, HOLDFAST_COMMANDS=n another length.
func TestNodeAnswersAsMemcachedDoes(t *testing.T) {
	seed, want := setting(t, "HOLDFAST_SEED", 1), setting(t, "HOLDFAST_COMMANDS", 100_000)
	t.Logf("seed %d", seed)
	p := startPair(t)
	maker := newCommandMaker(uint64(seed))
	began := time.Now()
	for maker.made < want {
		batch := maker.batch()
		memcached, embedded := p.ask(t, batch)
		if i := firstDifference(memcached, embedded); i >= 0 {
			t.Fatalf("seed %d, after %d commands:\n%s", seed, maker.made, report(maker.history, batch, memcached, embedded, i))
		}
		maker.learn(memcached)
	}
	t.Logf("%d commands compared in %v", maker.made, time.Since(began).Round(time.Millisecond))
	for _, kind := range answerKinds {
		if maker.seen[kind] == 0 {
			t.Errorf("no command was answered %q: the sequence is too narrow", kind)
		}
	}
}

// answerKinds are beginnings of answers that a good sequence meets.
var answerKinds = []string{
	"STORED", "NOT_STORED", "EXISTS", "NOT_FOUND", "DELETED", "TOUCHED", "OK", "VALUE", "END", "ERROR", "VERSION",
	"HD", "VA", "EN", "EX", "NS", "NF", "ME", "RESET",
	"CLIENT_ERROR bad command line format", "CLIENT_ERROR bad data chunk", "CLIENT_ERROR invalid exptime argument",
	"CLIENT_ERROR cannot increment or decrement non-numeric value", "CLIENT_ERROR invalid numeric delta argument",
	"CLIENT_ERROR duplicate flag", "CLIENT_ERROR invalid flag", "CLIENT_ERROR invalid or duplicate flag",
	"CLIENT_ERROR opaque token too long", "CLIENT_ERROR options flags", "CLIENT_ERROR error decoding key",
	"CLIENT_ERROR bad token in command line format", "CLIENT_ERROR incorrect length for M token",
	"CLIENT_ERROR invalid mode for m", "SERVER_ERROR object too large for cache",
}

// TestNodeExpiresAsMemcachedDoes sets ends in every way there is, waits for
// them, and compares what is left.
func TestNodeExpiresAsMemcachedDoes(t *testing.T) {
	t.Parallel() // it waits
	p := startPair(t)
	p.compare(t, expiringCommands())
	p.wait(t, 4)
	p.compare(t, probes(expiringKeys))
	// Items that are used between a flush_all with a delay and its time live on.
	p.compare(t, []string{"set old 0 0 1\r\nx\r\n", "flush_all 2\r\n", "mg old v\r\n"})
	p.wait(t, 4)
	p.compare(t, []string{"set new 0 0 1\r\nx\r\n", "mg old v\r\n", "mg new v\r\n"})
}

// TestNodeCountsAsMemcachedDoes tries every number with every delta. It is a
// test of its own since memcached looks for a minus when a number is above 2^63,
// and looks past the end of the item too, where in its first life nothing is.
func TestNodeCountsAsMemcachedDoes(t *testing.T) {
	p := startPair(t)
	var commands []string
	for i, value := range numbers {
		for j, delta := range numbers {
			for _, verb := range []string{"incr", "decr", "ma"} {
				key := fmt.Sprint(verb, i, "x", j)
				change := fmt.Sprintf("%s %s %s\r\n", verb, key, delta)
				if verb == "ma" {
					change = fmt.Sprintf("ma %s v c MD D%s\r\n", key, delta)
				}
				commands = append(commands, fmt.Sprintf("set %s 7 0 %d\r\n%s\r\n", key, len(value), value), change, "gets "+key+"\r\n")
			}
		}
	}
	p.compare(t, commands)
}

// numbers are what a number may look like.
var numbers = []string{
	"0", "1", "9", "10", "007", "+5", "-0", "-1", "x", "12x", "1.5", "0x10", "1\t", "\t1", "4294967295", "4294967296", "999999999999",
	"9223372036854775807", "9223372036854775808", "9999999999999999999", "18446744073709551615", "18446744073709551616",
	"-18446744073709551615", "-9223372036854775808", "99999999999999999999999", "00000000000000000000000001",
}

// TestNodeEndsConnectionsAsMemcachedDoes compares what ends a connection, and
// what was answered before.
func TestNodeEndsConnectionsAsMemcachedDoes(t *testing.T) {
	p := startPair(t)
	for _, text := range []string{
		"quit\r\n",
		"version\r\nquit\r\nset a 0 0 1\r\nx\r\n",
		"mg a v q\r\nquit now\r\n",
		"set a 0 0 1\r\nx\r\nget a\r\nquit\n",
		strings.Repeat("x", 3000),
		strings.Repeat("set ", 5000) + "\r\n",
		"set " + strings.Repeat("k", 30_000) + " 0 0 1\r\nx\r\n",
	} {
		memcached, embedded := untilEnd(t, p.addrs[0], text), untilEnd(t, p.addrs[1], text)
		if !bytes.Equal(memcached, versioned(embedded)) {
			t.Errorf("%.60q: memcached answers %.200q, the node %.200q", text, memcached, embedded)
		}
	}
}

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

func firstDifference(memcached, embedded []string) int {
	for i := range max(len(memcached), len(embedded)) {
		if i >= len(memcached) || i >= len(embedded) || !alike(memcached[i], embedded[i]) {
			return i
		}
	}
	return -1
}

// alike compares two answers. Bytes that differ must be numbers in places where
// they may.
func alike(a, b string) bool {
	if a == b {
		return true
	}
	as, bs := strings.Split(a, "\r\n"), strings.Split(b, "\r\n")
	return slices.EqualFunc(as, bs, func(a, b string) bool {
		return a == b || slices.EqualFunc(strings.Split(a, " "), strings.Split(b, " "), alikeField)
	})
}

// field is a name and a number in the line of a meta answer.
var field = regexp.MustCompile(`^(t|l|exp=|la=|cls=)(-?[0-9]+)$`)

func alikeField(a, b string) bool {
	if a == b {
		return true
	}
	as, bs := field.FindStringSubmatch(a), field.FindStringSubmatch(b)
	if as == nil || bs == nil || as[1] != bs[1] {
		return false
	}
	x, _ := strconv.Atoi(as[2])
	y, _ := strconv.Atoi(bs[2])
	switch as[1] {
	case "t", "exp=":
		// memcached's clock is a timer, seconds late on a busy machine. The ends
		// that the test sets are further apart.
		return max(x, y)-min(x, y) <= 60
	default:
		return true
	}
}

// report shows the command whose answers differ and what was sent before with
// the same key.
func report(history []keyed, batch, memcached, embedded []string, i int) string {
	var b strings.Builder
	if i >= len(batch) {
		return fmt.Sprintf("the answers of a batch do not end together:\n%q\nmemcached %q\nthe node  %q", batch, memcached, embedded)
	}
	sent := history[:len(history)-len(batch)+i+1]
	failed := sent[len(sent)-1]
	var before []string
	for _, c := range sent {
		if c.key == failed.key || c.key == "" {
			before = append(before, fmt.Sprintf("%.200q", c.text))
		}
	}
	for _, text := range before[max(0, len(before)-40):] {
		fmt.Fprintln(&b, text)
	}
	fmt.Fprintf(&b, "%.400q\n", failed.text)
	fmt.Fprintf(&b, "memcached answers %.500q\nthe node answers  %.500q", memcached[i], embedded[i])
	return b.String()
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

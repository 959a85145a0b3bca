package integration

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestNodeAnswersAsMemcachedDoes sends the same commands to a memcached and to
// the embedded node and compares the answers byte by byte.
//
// What differs for good reasons, and is compared with a tolerance (see alike):
// times, since the two clocks do not tick together; the time since the last
// access (l, la), which memcached keeps in one way with its background thread and
// in another without; the slab class (cls), which a node does not have.
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

package integration

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// settleTimeout is how long what ends may take to be gone: closing a connection is
// noticed at its other end, and a goroutine's last steps take a moment.
const settleTimeout = 20 * time.Second

// held is what this process holds: goroutines by their number with their stacks, and
// open files and sockets by what they are.
type held map[string]string

func holdings(t *testing.T) held {
	t.Helper()
	now := openFiles(t)
	maps.Copy(now, goroutines())
	return now
}

// goroutines are those of the program, not the runtime's own.
func goroutines() held {
	buf := make([]byte, 1<<20)
	for n := runtime.Stack(buf, true); ; n = runtime.Stack(buf, true) {
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	all := held{}
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		name, _, _ := strings.Cut(stack, " [")
		all[name] = stack
	}
	return all
}

// openFiles is empty where the system does not tell.
func openFiles(t *testing.T) held {
	t.Helper()
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	all := held{}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil { // dir itself is closed again
			all[e.Name()+" → "+to] = "an open file"
		}
	}
	return all
}

// wantNothingNew fails the test if something stays that was not there before.
func (before held) wantNothingNew(t *testing.T) {
	t.Helper()
	left := before.since(t)
	for end := time.Now().Add(settleTimeout); len(left) > 0 && time.Now().Before(end); left = before.since(t) {
		time.Sleep(10 * time.Millisecond)
	}
	for i, name := range slices.Sorted(maps.Keys(left)) {
		if i == 5 {
			break
		}
		t.Errorf("one of %d goroutines and files that are left: %s: %s", len(left), name, left[name])
	}
}

// since is what this process holds now, and did not before.
func (before held) since(t *testing.T) held {
	t.Helper()
	now := holdings(t)
	maps.DeleteFunc(now, func(name, _ string) bool { _, old := before[name]; return old })
	return now
}

func TestHoldingsShowGoroutinesFilesAndConnections(t *testing.T) {
	cache := servers.StartMemcached(t)
	wantNoConnection(t, cache.Addr)
	before := holdings(t)
	stop := make(chan struct{})
	go func() { <-stop }()
	file, err := os.Create(filepath.Join(t.TempDir(), "planted"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", cache.Addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(conn, "version\r\n"); err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Read(make([]byte, 64)) // now it is counted
	var text strings.Builder
	for name, what := range before.since(t) {
		fmt.Fprintln(&text, name, what)
	}
	for _, want := range []string{"GoroutinesFilesAndConnections", "planted", "socket:"} {
		if runtime.GOOS == "linux" && !strings.Contains(text.String(), want) {
			t.Errorf("what was planted is not all in this: no %q in\n%s", want, &text)
		}
	}
	if got := openConnections(t, cache.Addr); got != 1 {
		t.Errorf("the cache node has %d connections, want 1", got)
	}
	close(stop)
	file.Close()
	conn.Close()
	before.wantNothingNew(t)
	wantNoConnection(t, cache.Addr)
}

// openConnections is how many connections a memcached has, not counting the one that asks.
func openConnections(t *testing.T, addr string) (n int) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, "stats\r\n"); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(conn); lines.Scan() && lines.Text() != "END"; {
		_, _ = fmt.Sscanf(lines.Text(), "STAT curr_connections %d", &n) // the other lines do not match
	}
	return n - 1
}

// wantNoConnection waits until nobody is connected to a memcached.
func wantNoConnection(t *testing.T, addr string) {
	t.Helper()
	got := openConnections(t, addr)
	for end := time.Now().Add(settleTimeout); got > 0 && time.Now().Before(end); got = openConnections(t, addr) {
		time.Sleep(10 * time.Millisecond)
	}
	if got > 0 {
		t.Errorf("the cache node has %d connections, want none", got)
	}
}

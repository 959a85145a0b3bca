package servers

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv("HOLDFAST_TEST_ROLE") == "parent" {
		beParent()
		return
	}
	os.Exit(m.Run())
}

func TestMemcachedComesBackEmptyOnTheSameAddress(t *testing.T) {
	mc := StartMemcached(t)
	first := mc.Pid()
	if got := ask(t, mc.Addr, "set k 0 0 1\r\nx\r\n"); got != "STORED\r\n" {
		t.Fatalf("set answered %q", got)
	}
	mc.Restart()
	if mc.Pid() == first {
		t.Errorf("pid %d is the same after Restart", first)
	}
	if got := ask(t, mc.Addr, "get k\r\n"); got != "END\r\n" {
		t.Errorf("get after Restart answered %q, want an empty server", got)
	}
}

func TestFrozenProcessAnswersOnlyAfterThaw(t *testing.T) {
	mc := StartMemcached(t)
	conn := dial(t, mc.Addr)
	mc.Freeze()
	fmt.Fprint(conn, "version\r\n")
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	buf := make([]byte, 64)
	if n, err := conn.Read(buf); err == nil {
		t.Fatalf("a frozen server answered %q", buf[:n])
	}
	mc.Thaw()
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(buf); err != nil {
		t.Errorf("no answer after Thaw: %v", err)
	}
}

func TestKilledProcessIsGone(t *testing.T) {
	mc := StartMemcached(t)
	mc.Kill()
	if mc.Running() {
		t.Error("Running is true after Kill")
	}
	if conn, err := net.Dial("tcp", mc.Addr); err == nil {
		conn.Close()
		t.Error("the port still accepts after Kill")
	}
	mc.Kill() // a second one is harmless
}

func TestStopReturnsTheExitError(t *testing.T) {
	sleep := NewProcess(t, nil, lookup(t, "sleep"), "60")
	sleep.Start()
	err := sleep.Stop()
	if err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("Stop returned %v, want the death by SIGTERM", err)
	}
}

func TestOutputIsKept(t *testing.T) {
	echo := NewProcess(t, nil, lookup(t, "sh"), "-c", "echo one; echo two >&2")
	echo.Start()
	<-echo.life().done
	if got, want := echo.Output(), "one\ntwo\n"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	w := &tail{limit: 4}
	for _, s := range []string{"ab", "cdef", "", "g"} {
		fmt.Fprint(w, s)
	}
	if got, want := w.String(), "defg"; got != want {
		t.Errorf("tail %q, want %q", got, want)
	}
}

func TestNginxForwards(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "hello %d", len(body))
	}))
	defer app.Close()
	n := StartNginx(t, fmt.Sprintf(`
server {
	listen 127.0.0.1:%d;
	location / { proxy_pass %s; }
}`, FreePort(t), app.URL))
	// A body above the buffer goes through the private temp folder.
	resp, err := http.Post("http://"+n.Addr, "text/plain", strings.NewReader(strings.Repeat("x", 200_000)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != "hello 200000" {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestFreePortsDiffer(t *testing.T) {
	seen := map[int]bool{}
	for range 200 {
		port := FreePort(t)
		if seen[port] {
			t.Fatalf("port %d was handed out twice", port)
		}
		seen[port] = true
	}
}

func TestReservedPortIsRefusedUntilTheTestEnds(t *testing.T) {
	var port int
	t.Run("holder", func(t *testing.T) {
		port = FreePort(t)
		if reserve(t, port) {
			t.Errorf("port %d was reserved twice", port)
		}
	})
	if !reserve(t, port) {
		t.Errorf("port %d is still reserved after its test", port)
	}
}

// TestChildrenDieWithTheTestBinary kills a process of this test binary that has
// started nginx and memcached, and looks for what is left of them.
func TestChildrenDieWithTheTestBinary(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends children with their parent")
	}
	lookup(t, "memcached")
	lookup(t, "nginx")
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "HOLDFAST_TEST_ROLE=parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var memcached, nginx int
	var nginxAddr string
	_, err = fmt.Fscan(out, &memcached, &nginx, &nginxAddr)
	parent.Process.Kill()
	parent.Wait()
	if err != nil {
		t.Fatal("the parent did not come up:", err)
	}
	waitGone(t, "memcached", memcached)
	waitGone(t, "nginx", nginx)
	waitRefused(t, nginxAddr) // the workers are gone too
}

// beParent starts servers as a test would and then waits to be killed.
func beParent() {
	tests := []testing.InternalTest{{Name: "parent", F: func(t *testing.T) {
		mc := StartMemcached(t)
		n := StartNginx(t, fmt.Sprintf("server {\n listen 127.0.0.1:%d;\n}", FreePort(t)))
		fmt.Println(mc.Pid(), n.Pid(), n.Addr)
		select {}
	}}}
	testing.Main(func(string, string) (bool, error) { return true, nil }, tests, nil, nil)
}

func waitGone(t *testing.T, name string, pid int) {
	t.Helper()
	wait(t, name+" "+strconv.Itoa(pid)+" to end", func() bool {
		return syscall.Kill(pid, 0) != nil || zombie(pid)
	})
}

// zombie is true for a process that has ended but that nobody waited for:
// whoever adopted it may be slow.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func waitRefused(t *testing.T, addr string) {
	t.Helper()
	wait(t, addr+" to be refused", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
}

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("waited 10 s in vain for %s", what)
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func ask(t *testing.T, addr, command string) string {
	t.Helper()
	conn := dial(t, addr)
	fmt.Fprint(conn, command)
	buf := make([]byte, 256)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestNutcrackerPassesCommandsOn(t *testing.T) {
	mc := StartMemcached(t)
	n := StartNutcracker(t, mc.Addr)
	if got := ask(t, n.Addr, "set k 0 0 1\r\nx\r\n"); got != "STORED\r\n" {
		t.Fatalf("set answered %q", got)
	}
	n.Kill()
	n.Start()
	if got := ask(t, n.Addr, "touch k 0\r\n"); got != "TOUCHED\r\n" {
		t.Errorf("touch answered %q", got)
	}
	if got := ask(t, mc.Addr, "touch k 0\r\n"); got != "TOUCHED\r\n" {
		t.Errorf("touch without the proxy answered %q", got)
	}
}

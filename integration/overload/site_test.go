package overload

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// full measures what an overload costs those who have nothing to do with it. That
// needs a calm machine, and minutes.
var full = flag.Bool("full", false, "run at the rates of docs/testing.md and print its table")

const cookieName = "session"

// buildFolder holds the command for all tests of this run.
var buildFolder string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "holdfast-overload-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	buildFolder = folder
	return m.Run()
}

var buildCommand = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildFolder, "holdfast")
	out, err := exec.Command("go", "build", "-o", path, "github.com/holdfast-sessions/holdfast/cmd/holdfast").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("building the command: %w\n%s", err, out)
	}
	return path, err
})

// A site is an app server, a process of its own, on two memcached.
type site struct {
	*servers.Process
	addr string
	line *line // to the first memcached
}

func startSite(t *testing.T, flags ...string) *site {
	t.Helper()
	raiseFileLimit(t)
	path, err := buildCommand()
	if err != nil {
		t.Fatal(err)
	}
	line := openLine(t, servers.StartMemcached(t).Addr)
	addr := fmt.Sprintf("127.0.0.1:%d", servers.FreePort(t))
	args := []string{
		"app", "--listen", addr, "--route", "app1", "--insecure-cookie", "--cookie-name", cookieName,
		"--nodes", "n1:" + line.addr() + " n2:" + servers.StartMemcached(t).Addr,
		"--operation-timeout", "10s", // a busy machine must not make a node seem away
	}
	s := &site{addr: addr, line: line}
	s.Process = servers.NewProcess(t, s.ready, path, append(args, flags...)...)
	s.Start()
	return s
}

func (s *site) url() string { return "http://" + s.addr }

func (s *site) ready() error {
	resp, err := http.Get(s.url() + "/readyz")
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// stats are what /stats answers.
type stats struct {
	holdfast.Stats
	Nodes []holdfast.NodeState
}

func (s *site) stats(t *testing.T) (now stats) {
	t.Helper()
	resp, err := http.Get(s.url() + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&now); err != nil {
		t.Fatal(err)
	}
	return now
}

// memory is what the app server occupies now, in bytes. 0: the system does not tell.
func (s *site) memory() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Pid()))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kib int64
	_, _ = fmt.Sscanf(rest, "%d", &kib)
	return kib << 10
}

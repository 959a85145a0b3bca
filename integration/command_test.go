package integration

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/integration/wire"
)

// buildFolder holds the command for all tests of this run.
var buildFolder string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "holdfast-integration-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	buildFolder = folder
	return m.Run()
}

// buildCommand builds cmd/holdfast once, for the first test that needs it.
var buildCommand = sync.OnceValues(func() (string, error) { return build("holdfast") })

// build builds cmd/holdfast into a file called name.
func build(name string, flags ...string) (path string, err error) {
	path = filepath.Join(buildFolder, name)
	args := append([]string{"build", "-o", path}, flags...)
	cmd := exec.Command("go", append(args, "github.com/holdfast-sessions/holdfast/cmd/holdfast")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return path, nil
}

// An appServer is one "holdfast app" process.
type appServer struct {
	*servers.Process
	addr  string // host:port
	route string
}

// startApp starts an app server on addr that keeps its sessions on the
// memcached at cache.
func startApp(t *testing.T, addr, route, cache string, flags ...string) *appServer {
	t.Helper()
	app := newApp(t, addr, route, cache, flags...)
	app.Start()
	return app
}

func newApp(t *testing.T, addr, route, cache string, flags ...string) *appServer {
	t.Helper()
	path, err := buildCommand()
	if err != nil {
		t.Fatal(err)
	}
	return newAppOf(t, path, addr, route, "n1:"+cache, flags...)
}

// newAppOf is an app server that runs the command at path, with its sessions on
// the nodes of a list as --nodes has it.
func newAppOf(t *testing.T, path, addr, route, nodes string, flags ...string) *appServer {
	t.Helper()
	args := []string{
		"app", "--listen", addr, "--route", route, "--nodes", nodes,
		"--insecure-cookie", "--cookie-name", cookieName,
	}
	if !slices.Contains(flags, "--operation-timeout") {
		// So long that a busy machine never makes a store seem away.
		args = append(args, "--operation-timeout", "10s")
	}
	ready := func() error { return answersReady(addr) }
	return &appServer{servers.NewProcess(t, ready, path, append(args, flags...)...), addr, route}
}

func (a *appServer) url() string { return "http://" + a.addr }

func answersReady(addr string) error {
	resp, err := http.Get("http://" + addr + "/readyz")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %s", resp.Status)
	}
	return nil
}

func freeAddr(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", servers.FreePort(t))
}

// A cluster is two app servers on one memcached, with a proxy on the line to
// it.
type cluster struct {
	cache *servers.Memcached
	line  *wire.Proxy
	a, b  *appServer
}

func startCluster(t *testing.T, flags ...string) *cluster {
	t.Helper()
	c := &cluster{cache: servers.StartMemcached(t)}
	c.line = wire.Start(t, c.cache.Addr)
	c.a = startApp(t, freeAddr(t), "app1", c.line.Addr, flags...)
	c.b = startApp(t, freeAddr(t), "app2", c.line.Addr, flags...)
	return c
}

func (c *cluster) apps() []*appServer { return []*appServer{c.a, c.b} }

package servers

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// A Nutcracker is a running nutcracker, also called twemproxy: a proxy for
// memcached's classic commands.
type Nutcracker struct {
	*Process
	Addr string // 127.0.0.1:port, the same in every life
}

// StartNutcracker starts a nutcracker with one pool of the servers at backends
// (host:port), and waits until it answers. They must be running.
func StartNutcracker(t testing.TB, backends ...string) *Nutcracker {
	t.Helper()
	path := lookup(t, "nutcracker")
	dir := t.TempDir()
	n := &Nutcracker{Addr: fmt.Sprintf("127.0.0.1:%d", FreePort(t))}
	var conf strings.Builder
	fmt.Fprintf(&conf, "holdfast:\n  listen: %s\n  hash: fnv1a_64\n  distribution: ketama\n", n.Addr)
	fmt.Fprintf(&conf, "  auto_eject_hosts: false\n  timeout: 2000\n  servers:\n")
	for _, backend := range backends {
		fmt.Fprintf(&conf, "   - %s:1\n", backend)
	}
	writeFile(t, filepath.Join(dir, "nutcracker.yml"), conf.String())
	n.Process = NewProcess(t, func() error { return askVersion(n.Addr) }, path,
		"-c", filepath.Join(dir, "nutcracker.yml"), "-p", filepath.Join(dir, "nutcracker.pid"),
		"-a", "127.0.0.1", "-s", fmt.Sprint(FreePort(t)))
	n.Start()
	return n
}

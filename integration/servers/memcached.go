package servers

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// A Memcached is a running memcached. Started again it is empty.
type Memcached struct {
	*Process
	Addr string // 127.0.0.1:port, the same in every life
}

// StartMemcached starts a memcached on a free port of 127.0.0.1 and waits
// until it answers. args are added to its command line.
func StartMemcached(t testing.TB, args ...string) *Memcached {
	t.Helper()
	path := lookup(t, "memcached")
	port := FreePort(t)
	all := []string{"-l", "127.0.0.1", "-p", fmt.Sprint(port), "-U", "0"}
	if os.Geteuid() == 0 {
		// memcached refuses to run as root unless told so. Another user would
		// do, but a change of user makes the kernel forget to end the child
		// with its parent.
		all = append(all, "-u", "root")
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	ready := func() error { return askVersion(addr) }
	m := &Memcached{Process: NewProcess(t, ready, path, append(all, args...)...), Addr: addr}
	m.Start()
	return m
}

// Restart kills memcached and starts it again: same address, empty memory.
func (m *Memcached) Restart() {
	m.Kill()
	m.Start()
}

func askVersion(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprint(conn, "version\r\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(line, "VERSION ") {
		return fmt.Errorf("unexpected answer %q to version", line)
	}
	return nil
}

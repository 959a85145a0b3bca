package servers

import (
	"path/filepath"
	"regexp"
	"testing"
)

// A HAProxy is a running haproxy.
type HAProxy struct {
	*Process
	Addr string // the address of the first bind line
}

var bindLine = regexp.MustCompile(`(?m)^\s*bind\s+(127\.0\.0\.1:\d+)\s*$`)

// StartHAProxy starts a haproxy and waits until it accepts connections. conf is
// its whole configuration, with at least one line "bind 127.0.0.1:port" with a port
// from FreePort.
func StartHAProxy(t testing.TB, conf string) *HAProxy {
	t.Helper()
	path := lookup(t, "haproxy")
	bind := bindLine.FindStringSubmatch(conf)
	if bind == nil {
		t.Fatal("the haproxy configuration has no line of the form: bind 127.0.0.1:port")
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	writeFile(t, file, conf)
	h := &HAProxy{Addr: bind[1]}
	// -db: in the foreground, as one process.
	h.Process = NewProcess(t, accepts(h.Addr), path, "-db", "-f", file)
	h.Start()
	return h
}

package servers

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// A Nginx is a running nginx.
type Nginx struct {
	*Process
	Addr string // the address of the first listen directive
}

// mainConf is what stands around a site's configuration. Every path is below
// the private prefix, and nothing is shared with an nginx of the system.
const mainConf = `
daemon off;
worker_processes 2;
pid nginx.pid;
error_log stderr;
events { worker_connections 2048; }
http {
	access_log off;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	include site.conf;
}
`

var listenDirective = regexp.MustCompile(`(?m)^\s*listen\s+(127\.0\.0\.1:\d+)\s*;`)

// StartNginx starts an nginx and waits until it accepts connections. conf is
// what a file in /etc/nginx/conf.d would hold: the inside of the http block,
// with at least one "listen 127.0.0.1:port;" with a port from FreePort.
func StartNginx(t testing.TB, conf string) *Nginx {
	t.Helper()
	path := lookup(t, "nginx")
	listen := listenDirective.FindStringSubmatch(conf)
	if listen == nil {
		t.Fatal("the nginx configuration has no line of the form: listen 127.0.0.1:port;")
	}
	prefix := t.TempDir()
	writeFile(t, filepath.Join(prefix, "nginx.conf"), userLine()+mainConf)
	writeFile(t, filepath.Join(prefix, "site.conf"), conf)

	n := &Nginx{Addr: listen[1]}
	// -e also moves the log that nginx opens before it reads its configuration.
	n.Process = NewProcess(t, accepts(n.Addr), path, "-e", "stderr", "-p", prefix, "-c", "nginx.conf")
	// Killed with SIGKILL the master would leave its workers behind.
	n.attr = childAttr(syscall.SIGTERM)
	n.Start()
	return n
}

// userLine lets the workers of a root nginx into the private prefix, which
// belongs to root alone.
func userLine() string {
	if os.Geteuid() == 0 {
		return "user root root;\n"
	}
	return ""
}

// accepts returns a question for NewProcess: whether somebody listens on addr.
func accepts(addr string) func() error {
	return func() error {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

func writeFile(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Package servers starts real servers for one test: memcached, nginx, haproxy or
// any other command, as child processes on free loopback ports. A test can kill,
// freeze and start them again.
//
// A child never outlives its test: it is ended by its own process id when the
// test ends, also by a panic, and on Linux the kernel ends it when the test
// binary dies. What a child printed is shown when the test failed.
//
// A server that is not installed skips the test. With
// HOLDFAST_REQUIRE_SERVERS=1 in the environment it fails the test instead, so
// that nothing is left out without notice.
package servers

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// lookup returns the path of an installed server. Without one it ends the test.
func lookup(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	// Debian keeps servers where the PATH of an ordinary user does not look.
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	if os.Getenv("HOLDFAST_REQUIRE_SERVERS") == "1" {
		t.Fatalf("%s is not installed, and HOLDFAST_REQUIRE_SERVERS=1 forbids to skip: ./test installs it", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

package measure

import (
	"os"
	"os/exec"
	"testing"
)

// NeedMemcached skips a test where there is no memcached, unless that is forbidden.
func NeedMemcached(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath(memcachedPath()); err != nil {
		if os.Getenv("HOLDFAST_REQUIRE_SERVERS") == "1" {
			t.Fatal("memcached is not installed, and HOLDFAST_REQUIRE_SERVERS=1 forbids to skip")
		}
		t.Skip("memcached is not installed")
	}
}

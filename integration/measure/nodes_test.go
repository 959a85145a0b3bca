package measure

import (
	"testing"
	"time"
)

func TestUsageOfANode(t *testing.T) {
	got := usageOf(map[string]string{
		"rusage_user": "1.250000", "rusage_system": "0.000004", "version": "1.6.18",
		"cmd_get": "1", "cmd_set": "20", "cmd_touch": "300", "delete_hits": "4000", "delete_misses": "50000", "cmd_flush": "7",
		"bytes": "123", "evictions": "5",
	})
	want := NodeUsage{CPU: 1250004 * time.Microsecond, Commands: 54321, Bytes: 123, Evictions: 5, Version: "1.6.18"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

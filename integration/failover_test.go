package integration

import (
	"os"
	"testing"
	"time"
)

// TestNothingAcknowledgedIsLostWhenOneThingFails puts 64 clients on 500 sessions,
// through nginx, to three app servers on two memcached, and has every process and
// every line fail in turn, each in every way, the next one when the former is
// repaired. Whatever the clients were told must be explained by one register or
// counter for each attribute, and no session may be lost.
//
// HOLDFAST_DRILL=10m makes it and the drills of sticky mode go on for that long each;
// go test then needs a -timeout well above it.
func TestNothingAcknowledgedIsLostWhenOneThingFails(t *testing.T) {
	d := startDrill(t, nonSticky, commandPath(t))
	d.run(d.faults(), 2)
}

func commandPath(t *testing.T) string {
	t.Helper()
	path, err := buildCommand()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// drillTime is how long the drill lasts at least.
func drillTime(t *testing.T) time.Duration {
	t.Helper()
	given := os.Getenv("HOLDFAST_DRILL")
	if given == "" {
		return 0
	}
	d, err := time.ParseDuration(given)
	if err != nil {
		t.Fatalf("HOLDFAST_DRILL: want a length of time such as 10m: %v", err)
	}
	return d
}

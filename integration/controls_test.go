package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The controls: where what protects sessions is taken away, the drill must report
// what it is there to find. Otherwise its silence elsewhere proves nothing.

func TestDrillReportsLostSessionsWithOneCopy(t *testing.T) {
	d := startDrill(t, nonSticky, commandPath(t), "--copies", "1")
	stop := d.start()
	d.inject(d.killNode(0))
	d.waitUntilSteady(time.Now().Add(time.Minute)) // what was on n1 is unavailable until n1 is used again
	for _, u := range d.users {
		d.read(u)
	}
	stop()
	d.wantReport("answered 404|want the one of user", "lost sessions")
}

// TestDrillReportsLostUpdatesWithoutCompareAndSet needs no fault: app servers that
// write without looking lose each other's changes all the time.
func TestDrillReportsLostUpdatesWithoutCompareAndSet(t *testing.T) {
	blind := buildReplacing(t, "placement/op.go", "return o.in[n].version }", "return store.Any }")
	d := startDrill(t, nonSticky, blind)
	stop := d.start()
	d.waitForRequests(requests / 4)
	stop()
	d.wantReport("a lost update", "lost updates")
}

// TestDrillReportsLossesThatNobodySaid: app servers with asynchronous backup that do
// not say how old the oldest unsent change is. All of it counts as sent then, and
// some of it is lost when they are killed.
func TestDrillReportsLossesThatNobodySaid(t *testing.T) {
	silent := buildReplacing(t, "sticky/stats.go", "oldest := s.queue.oldest(); !oldest.IsZero()", "oldest := s.queue.oldest(); false")
	d := startDrill(t, stickyAsync, silent)
	stop := d.start()
	d.repair()
	d.killWhileHolding()
	stop()
	d.wantReport("a lost update|were there before the other", "lost updates")
}

// wantReport fails the test if no line of the verdict matches.
func (d *drill) wantReport(pattern, what string) {
	d.t.Helper()
	d.summary()
	err := d.seen.Check()
	if err == nil {
		d.t.Fatalf("the drill reports nothing, want %s", what)
	}
	found := len(regexp.MustCompile("(?m)^.*("+pattern+").*$").FindAllString(err.Error(), -1))
	d.t.Logf("%d lines tell of %s; the first of all:\n%s", found, what, firstLines(err.Error(), 5))
	if found == 0 {
		d.t.Errorf("no line tells of %s", what)
	}
}

// buildReplacing builds the command with old replaced by new in one file of the
// checkout.
func buildReplacing(t *testing.T, file, old, new string) (path string) {
	t.Helper()
	original, err := filepath.Abs(filepath.Join(checkout, file))
	if err != nil {
		t.Fatal(err)
	}
	source := content(t, original)
	if n := strings.Count(source, old); n != 1 {
		t.Fatalf("%s has %q %d times, want once: tell this test what to replace now", file, old, n)
	}
	replaced, overlay := filepath.Join(t.TempDir(), "replaced.go"), filepath.Join(t.TempDir(), "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{original: replaced}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, replaced, strings.Replace(source, old, new, 1))
	writeFile(t, overlay, string(list))
	if path, err = build(t.Name(), "-overlay", overlay); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

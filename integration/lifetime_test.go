package integration

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// How long sessions live, and how app servers end, with real processes.

// late is how long after its end a session may still be found: memcached's
// clock ticks in seconds.
const late = 2 * time.Second

func TestIdleSessionEndsAndUsedSessionStays(t *testing.T) {
	t.Parallel()
	const idle = 4 * time.Second
	c := startCluster(t, "--idle-timeout", idle.String())
	user, sleeper, visitor := newBrowser(), newBrowser(), newBrowser()
	for _, b := range []*browser{user, sleeper, visitor} {
		b.post(c.a.url()+"/session", "x", "1").want(t, http.StatusOK)
	}
	// One session is read, one only present in requests that do not use it.
	for end := time.Now().Add(2*idle + late); time.Now().Before(end); time.Sleep(idle / 8) {
		user.get(c.b.url()+"/session").want(t, http.StatusOK)
		visitor.get(c.a.url()+"/none").want(t, http.StatusOK)
	}
	sleeper.get(c.a.url()+"/session").want(t, http.StatusNotFound)
	visitor.get(c.b.url()+"/session").want(t, http.StatusOK)
}

func TestAbsoluteTimeoutEndsASessionInUse(t *testing.T) {
	t.Parallel()
	const whole = 4 * time.Second
	c := startCluster(t, "--absolute-timeout", whole.String())
	user := newBrowser()
	began := time.Now()
	user.post(c.a.url()+"/session", "x", "1").want(t, http.StatusOK)
	for {
		got := user.clone().get(c.b.url() + "/session")
		age := time.Since(began)
		if age >= whole-time.Second { // the answer may be of either side of the end
			break
		}
		got.want(t, http.StatusOK)
		time.Sleep(whole / 16)
	}
	time.Sleep(time.Until(began.Add(whole + late)))
	for _, app := range c.apps() {
		user.clone().get(app.url()+"/session").want(t, http.StatusNotFound)
	}
}

// TestTimeoutsAboveThirtyDays: memcached takes times above 30 days for dates.
func TestTimeoutsAboveThirtyDays(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{
		{"--idle-timeout", "720h"},
		{"--idle-timeout", "744h"},
		{"--idle-timeout", "10000h"},
		{"--idle-timeout", "0"},
		{"--idle-timeout", "1000h", "--absolute-timeout", "2000h"},
	} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, flags...)
			user := newBrowser()
			user.post(c.a.url()+"/login?user=alice").want(t, http.StatusOK)
			time.Sleep(1500 * time.Millisecond) // memcached's clock ticks in seconds
			if got := user.get(c.b.url() + "/session").view(t).Owner; got != "alice" {
				t.Errorf("owner %q, want alice", got)
			}
			user.post(c.b.url()+"/session", "x", "1").want(t, http.StatusOK)
			user.get(c.a.url()+"/session").want(t, http.StatusOK)
		})
	}
}

// TestStopFinishesWhatRuns: an app server that is told to stop answers the
// requests that it has begun, and leaves without an error.
func TestStopFinishesWhatRuns(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	user := newBrowser()
	user.post(c.a.url()+"/session", "x", "1").want(t, http.StatusOK)
	wait := c.slow(t, user, "read", "y", "1")
	stopped := make(chan error, 1)
	go func() { stopped <- c.a.Stop() }()
	if got := wait(); got.status != http.StatusOK {
		t.Errorf("the request under way got %d, %v", got.status, got.err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stopping: %v", err)
	}
	if got := user.get(c.b.url() + "/session").view(t).Attributes["y"]; got != "1" {
		t.Errorf("after the stop y is %v, want 1", got)
	}
}

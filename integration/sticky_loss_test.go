package integration

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// With asynchronous backup an app server says what is lost if it dies now, and
// loses nothing when it is told to stop.

const holders = 50 // users with changes that one server holds alone

// A holding is an app server that answers before a change is on its node.
type holding struct {
	*farm
	app   *appServer
	users []*browser
}

// startHolding has all users begin a session that is on the node.
func startHolding(t *testing.T) *holding {
	t.Helper()
	f := startFarm(t, commandPath(t), 1, 1, stickyAsync.flags...)
	h := &holding{farm: f, app: f.apps[0]}
	for range holders {
		h.users = append(h.users, newBrowser())
	}
	h.change(t, "sent")
	h.waitUntilSent(t)
	return h
}

func (h *holding) change(t *testing.T, value string) {
	t.Helper()
	for _, u := range h.users {
		u.post(h.app.url()+"/session", "x", value).want(t, http.StatusOK)
	}
}

func (h *holding) waitUntilSent(t *testing.T) {
	t.Helper()
	waitFor(t, "all to be sent", func() bool { return h.app.stats(t).Local.Unsent == 0 })
}

// count is how many users find which value.
func (h *holding) count(t *testing.T) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, u := range h.users {
		found[fmt.Sprint(u.get(h.app.url() + "/session").view(t).Attributes["x"])]++
	}
	return found
}

// TestKilledServerLosesWhatItSaidIsUnsent: no more, and no less, since nothing of it
// arrives.
func TestKilledServerLosesWhatItSaidIsUnsent(t *testing.T) {
	t.Parallel()
	h := startHolding(t)
	h.holdChanges()
	began := time.Now()
	h.change(t, "unsent")
	local := h.app.stats(t).Local
	if local.Unsent != holders || local.OldestUnsent <= 0 || local.OldestUnsent > time.Since(began) {
		t.Errorf("%d sessions are said to be unsent, the oldest change for %v, want %d and less than %v", local.Unsent, local.OldestUnsent, holders, time.Since(began))
	}
	h.app.Kill()
	h.letChangesPass()
	h.app.Start()
	if got := h.count(t); got["sent"] != holders {
		t.Errorf("found %v, want all %d as they were sent", got, holders)
	}
}

// TestStoppedServerSendsWhatItHolds: SIGTERM right after the answers, with a slow line
// to the node.
func TestStoppedServerSendsWhatItHolds(t *testing.T) {
	t.Parallel()
	h := startHolding(t)
	h.lines[0].Delay(200 * time.Millisecond)
	h.change(t, "unsent")
	if unsent := h.app.stats(t).Local.Unsent; unsent == 0 {
		t.Error("nothing is unsent when the server is told to stop: this shows nothing")
	}
	if err := h.app.Stop(); err != nil {
		t.Errorf("the server left with %v", err)
	}
	h.lines[0].Mend()
	h.app.Start()
	if got := h.count(t); got["unsent"] != holders {
		t.Errorf("found %v, want all %d changes", got, holders)
	}
}

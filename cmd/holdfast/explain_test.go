package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// wantExplained gets /explain and the page, and wants what and reason to be the
// latest in both.
func (b *browser) wantExplained(what, reason string) {
	b.t.Helper()
	got := b.send("GET", "/explain")
	var all []struct {
		At           time.Time
		What, Reason string
	}
	if err := json.Unmarshal([]byte(got.body), &all); err != nil || got.StatusCode != http.StatusOK {
		b.t.Fatalf("got %s %s: %v", got.Status, got.body, err)
	}
	if len(all) == 0 || all[0].What != what || !strings.Contains(all[0].Reason, reason) || time.Since(all[0].At) > time.Second {
		b.t.Errorf("/explain: got %s, want %s: %s, now", got.body, what, reason)
	}
	page := b.send("GET", "/")
	if line := "<li><strong>" + what + "</strong>: " + reason; page.StatusCode == http.StatusOK && !strings.Contains(page.body, line) {
		b.t.Errorf("page: got %s, want %s", page.body, line)
	}
}

func TestPageExplainsWhyThereIsNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := newBrowser(t, s)
		for range 2 { // before there is a cookie, and with one that finds its session
			if got := b.send("GET", "/explain"); got.body != "[]\n" {
				t.Errorf("/explain: got %s, want an empty list", got.body)
			}
			if page := b.send("GET", "/").body; strings.Contains(page, `class="why"`) {
				t.Errorf("page: got %s, want no reasons", page)
			}
			b.send("POST", "/session", "a", "1")
		}
		former := b.clone()
		b.send("POST", "/logout")
		former.wantExplained("missed", "it ended by logout")
		time.Sleep(time.Hour)
		former.wantExplained("missed", "no node has it")
		former.cookies["__Host-session"] = "<x>"
		former.wantExplained("ignored", "the cookie does not hold an id")
		s.node.down.Store(true)
		former.cookies["__Host-session"] = strings.Repeat("A", 26)
		former.wantExplained("unavailable", "cut off by the test")
	})
}

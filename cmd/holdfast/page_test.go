package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// wantPage checks for a page of that status in which all the parts stand.
func (a answer) wantPage(t *testing.T, status int, parts ...string) {
	t.Helper()
	if kind := a.Header.Get("Content-Type"); a.StatusCode != status || kind != "text/html; charset=utf-8" {
		t.Errorf("got %s of type %s, want %d and a page: %s", a.Status, kind, status, a.body)
	}
	for _, part := range parts {
		if !strings.Contains(a.body, part) {
			t.Errorf("page: no %q in\n%s", part, a.body)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(a.body), "</html>") {
		t.Errorf("page: ends with %q", a.body[max(0, len(a.body)-80):])
	}
}

func (a answer) wantNot(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(a.body, part) {
			t.Errorf("page: got %q in\n%s", part, a.body)
		}
	}
}

func TestPageWithoutASessionCreatesNone(t *testing.T) {
	b := newBrowser(t, newSite(t))
	b.send("GET", "/").wantPage(t, http.StatusOK, "There is no session", "app1", `action="/page/set"`)
	if len(b.cookies) > 0 {
		t.Errorf("got cookies %v, want none", b.cookies)
	}
	b.submit("/page/renew").wantPage(t, http.StatusOK, "There is no session")
	b.submit("/page/remove", "name", "a").wantPage(t, http.StatusOK, "There is no session")
	if len(b.cookies) > 0 {
		t.Errorf("got cookies %v after actions on nothing, want none", b.cookies)
	}
}

func TestPageFormsChangeTheSessionAndSaySo(t *testing.T) {
	b := newBrowser(t, newSite(t))
	got := b.submit("/page/set", "name", "colour", "value", "green")
	got.wantPage(t, http.StatusOK, "Set colour.", ">colour <", "<td>green</td>", "30m", "<dd>n1</dd>", "<dd>app1</dd>", "nobody")
	b.submit("/page/count").wantPage(t, http.StatusOK, "Counted one more.", `<p class="figure">1</p>`)
	b.submit("/page/count").wantPage(t, http.StatusOK, `<p class="figure">2</p>`)
	b.submit("/page/login", "user", "Ada").wantPage(t, http.StatusOK, "Logged in as Ada.", "<dd>Ada</dd>")
	before := b.cookies["__Host-session"]
	b.submit("/page/renew").wantPage(t, http.StatusOK, "Renewed", "<dd>Ada</dd>")
	if b.cookies["__Host-session"] == before {
		t.Errorf("got the same cookie %q after a renewal", before)
	}
	b.submit("/page/remove", "name", "colour").wantPage(t, http.StatusOK, "Removed colour.")
	b.send("GET", "/session").wantJSON(t, `{"owner":"Ada","attributes":{"clicks":2}}`)
	b.submit("/page/logout").wantPage(t, http.StatusOK, "Logged out.", "There is no session")
}

func TestNoticeShowsOnce(t *testing.T) {
	b := newBrowser(t, newSite(t))
	b.submit("/page/set", "name", "a", "value", "1").wantPage(t, http.StatusOK, "Set a.")
	again := b.send("GET", "/")
	again.wantPage(t, http.StatusOK, ">a <")
	again.wantNot(t, "Set a.", noticeName)
}

func TestEndedIsNotSaidWhileThereIsASession(t *testing.T) {
	b := newBrowser(t, newSite(t))
	b.submit("/page/set", "name", "a", "value", "1")
	b.send("GET", "/?ended").wantNot(t, "Logged out")
}

// What the user stored under the page's own name must not break the page.
func TestPageSurvivesAForeignNotice(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	b.fill(s, func(s *holdfast.Session) { holdfast.NewKey[string](noticeName).Set(s, "no list") })
	b.send("GET", "/").wantPage(t, http.StatusOK, noticeName)
	b.submit("/page/remove", "name", noticeName).wantPage(t, http.StatusOK, "Removed "+noticeName)
}

func TestPageShowsAnUnreadableAttribute(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	s.node.rewrite = spoilAttribute(t, "bad")
	b.send("POST", "/session", "bad", "no time", "good", "1")
	s.node.rewrite = nil
	b.send("GET", "/").wantPage(t, http.StatusOK, ">bad <", "cannot read it", ">good <")
	b.submit("/page/set", "name", "a", "value", "1").wantPage(t, http.StatusOK, "Set a.", ">bad <")
}

func TestPageEscapesHostileText(t *testing.T) {
	b := newBrowser(t, newSite(t))
	const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>' `
	for _, got := range []answer{
		b.submit("/page/set", "name", hostile, "value", hostile),
		b.submit("/page/login", "user", hostile),
		b.send("GET", "/"),
	} {
		got.wantPage(t, http.StatusOK, "&lt;script&gt;alert(1)")
		got.wantNot(t, "<script", "<img src=x", `"">`)
	}
	b.submit("/page/remove", "name", hostile).wantPage(t, http.StatusOK, "Removed", "None.")
}

func TestPageShowsValuesByType(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	b.fill(s, func(s *holdfast.Session) {
		holdfast.NewKey[bool]("agreed").Set(s, true)
		holdfast.NewKey[[]byte]("blob").Set(s, []byte{0, 255, 1})
		holdfast.NewKey[time.Time]("since").Set(s, time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
		holdfast.NewKey[float64]("price").Set(s, 1.5)
		holdfast.NewKey[map[string]int]("cart").Set(s, map[string]int{"tea": 2})
		holdfast.NewKey[string]("long").Set(s, strings.Repeat("é", 1000))
	})
	b.send("GET", "/").wantPage(t, http.StatusOK,
		"agreed <small>yes or no</small>", "<td>true</td>",
		"blob <small>bytes</small>", "<td>AP8B</td>",
		"since <small>time</small>", "<td>2026-11-20T12:00:00Z</td>",
		"price <small>number</small>", "<td>1.5</td>",
		"cart <small>JSON</small>", "{&#34;tea&#34;:2}",
		"long <small>text</small>", "é… (2000 bytes)")
}

// The page needs no script, and its policy allows none.
func TestPageIsLockedDown(t *testing.T) {
	b := newBrowser(t, newSite(t))
	got := b.submit("/page/set", "name", "a", "value", "1")
	for header, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "same-origin",
		"Cache-Control":           "no-store",
	} {
		if got.Header.Get(header) != want {
			t.Errorf("%s: got %q, want %q", header, got.Header.Get(header), want)
		}
	}
	got.wantNot(t, "<script", "<style", " style=", " onclick", "javascript:", "http://", "https://")
}

// Everything to fill in has a label, and every part a heading.
func TestPageIsAccessible(t *testing.T) {
	page := newBrowser(t, newSite(t)).send("GET", "/").body
	for _, input := range regexp.MustCompile(`<input id="(\w+)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `<label for="`+input[1]+`">`) {
			t.Errorf("input %s has no label", input[1])
		}
	}
	if n := strings.Count(page, "<input"); n != strings.Count(page, "<label") {
		t.Errorf("got %d inputs and %d labels", n, strings.Count(page, "<label"))
	}
	for _, section := range regexp.MustCompile(`aria-labelledby="(\w+)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `<h2 id="`+section[1]+`">`) {
			t.Errorf("section %s has no heading", section[1])
		}
	}
	if !strings.Contains(page, `<html lang="en">`) || strings.Count(page, "<h1>") != 1 {
		t.Error("want a language and one h1")
	}
}

func TestPageErrorsAreForPeople(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	b.submit("/page/set", "name", "clicks", "value", "text").wantPage(t, http.StatusOK, `<p class="figure">0</p>`)
	b.send("POST", "/page/count").wantPage(t, http.StatusConflict, "is not a counter", `href="/"`)
	b.send("POST", "/page/set", "name", "").wantPage(t, http.StatusBadRequest, "needs a name")
	b.send("POST", "/page/set", "name", noticeName).wantPage(t, http.StatusBadRequest, "choose another")
	b.send("POST", "/page/remove").wantPage(t, http.StatusBadRequest, "which?")
	b.send("POST", "/page/login").wantPage(t, http.StatusBadRequest, "who?")
	b.send("POST", "/page/set", "name", "b", "value", strings.Repeat("x", 2<<20)).wantPage(t, http.StatusRequestEntityTooLarge)
	s.node.down.Store(true)
	for _, request := range [][]string{{"GET", "/"}, {"POST", "/page/set", "name", "a"}, {"POST", "/page/count"}, {"POST", "/page/renew"}, {"POST", "/page/logout"}} {
		got := b.send(request[0], request[1], request[2:]...)
		got.wantPage(t, http.StatusServiceUnavailable, "not lost", "unavailable")
		if got.Header.Get("Retry-After") == "" {
			t.Errorf("%v: got no Retry-After", request)
		}
	}
	s.node.down.Store(false)
	b.send("GET", "/session").wantJSON(t, `{"attributes":{"clicks":"text"}}`)
}

// The notice is taken by the GET: when that cannot be stored, the page says so
// as it does otherwise.
func TestPageErrorWhenOnlyWritingFails(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s)
	b.send("POST", "/page/set", "name", "a", "value", "1")
	s.node.beforePut = func() { s.node.down.Store(true) }
	b.send("GET", "/").wantPage(t, http.StatusServiceUnavailable, "not lost")
	s.node.down.Store(false)
	s.node.beforePut = nil
	b.send("GET", "/").wantPage(t, http.StatusOK, "Set a.")
}

func TestStaticFiles(t *testing.T) {
	b := newBrowser(t, newSite(t))
	for path, kind := range map[string]string{"/static/style.css": "text/css; charset=utf-8", "/static/icon.svg": "image/svg+xml"} {
		got := b.send("GET", path)
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != kind || got.body == "" {
			t.Errorf("%s: got %s, %s, %d bytes, want 200 and %s", path, got.Status, got.Header.Get("Content-Type"), len(got.body), kind)
		}
	}
	for _, path := range []string{"/static/", "/static/none.css", "/static/../page.go", "/static/../templates/session.html", "/templates/session.html"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		if got := b.do(r); got.StatusCode == http.StatusOK {
			t.Errorf("%s: got 200 with %d bytes, want no such file", path, len(got.body))
		}
	}
}

func TestSpokenDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		holdfast.Never: "never", 0: "never", 30 * time.Minute: "30m", time.Hour: "1h", 90 * time.Minute: "1h30m", 45 * time.Second: "45s",
		time.Hour + time.Second: "1h0m1s", 720 * time.Hour: "720h", 10 * time.Second: "10s", 10 * time.Minute: "10m", 500 * time.Millisecond: "500ms",
	} {
		if got := spoken(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

var visits = holdfast.NewKey[int]("visits")

// app answers as the one that the command runs.
func app(m *holdfast.Manager, route string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/session", m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := m.From(r.Context())
		if r.Method == http.MethodPost {
			_ = visits.Update(s, func(n *int) error { *n++; return nil })
			_ = s.Commit()
		}
		if !s.Exists() {
			http.Error(w, "{}", http.StatusNotFound)
			return
		}
		n, _ := visits.Get(s)
		place := s.Place()
		_ = json.NewEncoder(w).Encode(seen{sight{ID: fmt.Sprint(s.ID()), Server: route, Home: place.Node, Copies: place.Copies}, n})
	})))
	return mux
}

// seen is what app answers.
type seen struct {
	sight
	Visits int `json:"visits"`
}

// A person uses a demo that runs until the test ends, or stop.
type person struct {
	t    *testing.T
	base string
	http *http.Client
	stop func() error

	changes int
}

func startDemo(t *testing.T, o Options) *person {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	address, ended := make(chan string, 1), make(chan error, 1)
	o.Listen, o.App = "127.0.0.1:0", app
	o.Ready = func(at net.Addr) { address <- at.String() }
	go func() { ended <- Run(ctx, o) }()
	jar, _ := cookiejar.New(nil) // it has no error to return
	p := &person{t: t, http: &http.Client{Jar: jar, Transport: &http.Transport{}, Timeout: 20 * time.Second}}
	stopped := false
	p.stop = func() error {
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if !stopped {
			if err := p.stop(); err != nil {
				t.Errorf("Run: got %v", err)
			}
		}
		p.http.CloseIdleConnections()
	})
	select {
	case a := <-address:
		p.base = "http://" + a
	case err := <-ended:
		t.Fatalf("Run: got %v", err)
	}
	return p
}

// send sends a request with a form and returns the response and its body.
func (p *person) send(method, path string, change func(*http.Request), fields ...string) (*http.Response, string) {
	p.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if change != nil {
		change(r)
	}
	res, err := p.http.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res, string(body)
}

// session is what app answers, with the story of it.
func (p *person) session(method string) (seen, string) {
	p.t.Helper()
	res, body := p.send(method, "/session", nil)
	var s seen
	if err := json.Unmarshal([]byte(body), &s); err != nil || res.StatusCode != http.StatusOK {
		p.t.Fatalf("%s /session: got %s %q", method, res.Status, body)
	}
	return s, res.Header.Get(storyHeader)
}

func (p *person) control(status int, path string, fields ...string) {
	p.t.Helper()
	if res, body := p.send("POST", "/demo/"+path, nil, fields...); res.StatusCode != status {
		p.t.Errorf("POST /demo/%s %q: got %s %s, want %d", path, fields, res.Status, body, status)
	}
}

func (p *person) do(w what, part string) {
	p.t.Helper()
	p.control(http.StatusNoContent, "fault", "part", part, "what", string(w))
}

// Each fault is followed by the end of it, and none costs the session.
func TestSessionSurvivesEachFault(t *testing.T) {
	for _, mode := range modes() {
		t.Run(mode.Name, func(t *testing.T) {
			t.Parallel() // it waits most of its time
			p := startDemo(t, Options{})
			p.control(http.StatusNoContent, "mode", "mode", mode.Name)
			p.change()
			for _, w := range []what{kill, empty, freeze} {
				s := p.change()
				for _, part := range []string{s.Server, s.Home} {
					p.do(w, part)
					if s, _ := p.session("GET"); s.Visits != p.changes {
						t.Fatalf("after %s of %s: got %d visits, want %d", w, part, s.Visits, p.changes)
					}
					p.change()
					if w != empty {
						p.do(revive, part)
					}
					p.awaitUsed()
					p.change() // what is used is mended
				}
			}
		})
	}
}

// change adds one to the visits, of which none may be missing.
func (p *person) change() seen {
	p.t.Helper()
	s, _ := p.session("POST")
	if p.changes++; s.Visits != p.changes {
		p.t.Fatalf("after a change: got %d visits, want %d", s.Visits, p.changes)
	}
	return s
}

// await reads events until one of that name is as it should be.
func (p *person) await(name string, is func(data string) bool) {
	p.t.Helper()
	res, err := p.http.Get(p.base + "/demo/events")
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for at := ""; lines.Scan(); {
		if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			at = event
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && at == name && is(data) {
			return
		}
	}
	p.t.Fatalf("the events end before the %s: %v", name, lines.Err())
}

func TestStoryComesWithTheSession(t *testing.T) {
	p := startDemo(t, Options{})
	p.session("POST")
	before, _ := p.session("GET")
	p.do(kill, before.Home)
	now, story := p.session("POST")
	if now.Home != before.Copies[0] || !strings.HasPrefix(story, before.Home+" died; your session is served from its copy on "+now.Home+"; new hint in your cookie") {
		t.Errorf("the session was on %v and is on %v, and the story is %q", before.sight, now.sight, story)
	}
}

// The control: with one copy the death of its node loses a session, and the page says so.
func TestOneCopyIsNotEnough(t *testing.T) {
	p := startDemo(t, Options{Copies: 1})
	s, _ := p.session("POST")
	p.do(kill, s.Home)
	p.do(revive, s.Home)
	p.awaitUsed()
	if res, _ := p.send("GET", "/session", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("got %s, want 404: its only node was killed", res.Status)
	}
}

// awaitUsed waits for a picture in which all parts are in use.
func (p *person) awaitUsed() {
	p.t.Helper()
	p.await("picture", func(data string) bool { return strings.Count(data, `"state":"up"`) == 2*size })
}

func TestSettingsChangeUnderLoad(t *testing.T) {
	p := startDemo(t, Options{})
	p.control(http.StatusNoContent, "load", "on", "true")
	for i, mode := range []string{"sticky_async", "sticky_sync", "non_sticky", "sticky_async"} {
		p.awaitAnswers(100 * (i + 1))
		p.control(http.StatusNoContent, "mode", "mode", mode)
		p.control(http.StatusNoContent, "copies", "copies", fmt.Sprint(1+i%size))
	}
	now := p.awaitAnswers(500)
	if now.Mode != "sticky_async" || now.Copies != 1 || now.Load.Lost > 0 || now.Load.LostUpdates+now.Load.Doubled+now.Load.UnsentLost > 0 {
		t.Errorf("got %+v, want sticky_async with a copy, and no losses", now)
	}
}

// awaitAnswers waits until the users have had so many, and returns the picture of that.
func (p *person) awaitAnswers(n int) (now picture) {
	p.t.Helper()
	p.await("picture", func(data string) bool {
		now = picture{}
		if err := json.Unmarshal([]byte(data), &now); err != nil {
			p.t.Error(err)
		}
		return now.Load.Requests >= uint64(n)
	})
	return now
}

func TestOrdersThatMakeNoSenseAreRefused(t *testing.T) {
	p := startDemo(t, Options{})
	p.do(kill, "n1")
	p.do(freeze, "app1")
	for _, fields := range [][]string{
		{"fault", "part", "n1", "what", "kill"},
		{"fault", "part", "n1", "what", "freeze"},
		{"fault", "part", "n1", "what", "empty"},
		{"fault", "part", "app1", "what", "freeze"},
		{"fault", "part", "app1", "what", "empty"},
		{"fault", "part", "app2", "what", "revive"},
		{"fault", "part", "app2", "what", "explode"},
		{"fault", "part", "n9", "what", "kill"},
		{"mode", "mode", "holy"},
		{"copies", "copies", "4"},
		{"copies", "copies", "two"},
	} {
		p.control(http.StatusConflict, fields[0], fields[1:]...)
	}
}

func TestPageIsSafeFromOtherSites(t *testing.T) {
	p := startDemo(t, Options{})
	for name, row := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"its own":                    {func(r *http.Request) { r.Header.Set("Origin", p.base) }, http.StatusNoContent},
		"no browser's":               {nil, http.StatusNoContent},
		"another site's":             {func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, http.StatusForbidden},
		"said to be another site's":  {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		"by a name that points here": {func(r *http.Request) { r.Host = "evil.example" }, http.StatusMisdirectedRequest},
		"by localhost":               {func(r *http.Request) { r.Host = "localhost:1" }, http.StatusNoContent},
	} {
		if res, _ := p.send("POST", "/demo/copies", row.change, "copies", "2"); res.StatusCode != row.want {
			t.Errorf("%s: got %s, want %d", name, res.Status, row.want)
		}
	}
	res, body := p.send("GET", "/", nil)
	if got := res.Header.Get("Content-Security-Policy"); got != contentPolicy || strings.Contains(got, "unsafe") {
		t.Errorf("Content-Security-Policy: got %q", got)
	}
	for _, inline := range []string{"<style", " style=", "<script>", " onclick=", "javascript:"} {
		if strings.Contains(body, inline) {
			t.Errorf("the page has %s inside, which its policy forbids", inline)
		}
	}
}

// The demo is told to end in the middle of everything.
func TestRunLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 2 { // what the first one leaves for good counts as before
		p := startDemo(t, Options{})
		p.session("POST")
		p.control(http.StatusNoContent, "load", "on", "true")
		p.do(freeze, "app1")
		p.do(freeze, "n1")
		p.do(kill, "n2")
		p.do(empty, "app2")
		listening, err := p.http.Get(p.base + "/demo/events")
		if err != nil {
			t.Fatal(err)
		}
		if err := p.stop(); err != nil {
			t.Errorf("Run: got %v", err)
		}
		if _, err := io.Copy(io.Discard, listening.Body); err != nil {
			t.Errorf("a page that listens: got %v, want an end", err)
		}
		listening.Body.Close()
		p.http.CloseIdleConnections()
		if conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://")); err == nil {
			conn.Close()
			t.Error("still listening after the end")
		}
	}
	wantGoroutines(t, before)
}

// wantGoroutines waits for those that are about to end.
func wantGoroutines(t *testing.T, most int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > most; {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, and there were %d:\n%s", runtime.NumGoroutine(), most, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}

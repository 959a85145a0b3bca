package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// A running is a Run under way.
type running struct {
	t              *testing.T
	stop           context.CancelFunc
	stdout, stderr *output
	code           chan int
}

// start runs a command line until the test ends, or stop.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := &running{t, stop, newOutput(), newOutput(), make(chan int, 1)}
	var running sync.WaitGroup
	running.Go(func() {
		r.code <- Run(ctx, args, nil, r.stdout, r.stderr)
		r.stdout.end()
		r.stderr.end()
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	return r
}

// wantEnd waits for Run to end and checks its exit code.
func (r *running) wantEnd(code int) {
	r.t.Helper()
	if got := <-r.code; got != code {
		r.t.Errorf("got exit code %d, want %d; standard error: %s", got, code, r.stderr)
	}
}

// An output is what a command writes, for a test that waits for something in it.
type output struct {
	mu    sync.Mutex
	grown *sync.Cond
	text  strings.Builder // guarded by mu
	ended bool            // guarded by mu
}

func newOutput() *output {
	o := &output{}
	o.grown = sync.NewCond(&o.mu)
	return o
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer o.grown.Broadcast()
	return o.text.Write(p)
}

func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.grown.Broadcast()
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// wait returns what matches pattern and its groups, as soon as it was written.
func (o *output) wait(t *testing.T, pattern string) []string {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		if found := regexp.MustCompile(pattern).FindStringSubmatch(o.text.String()); found != nil {
			return found
		}
		if o.ended {
			t.Fatalf("output ended without %q: %s", pattern, o.text.String())
		}
		o.grown.Wait()
	}
}

func (r *running) address() string {
	r.t.Helper()
	return r.stdout.wait(r.t, `(?m)^Open http://(127\.0\.0\.1:\d+)/$`)[1]
}

func newClient() *http.Client {
	jar, _ := cookiejar.New(nil) // it has no error to return
	return &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
}

// read sends r, or gets the URL, and returns status and body.
func read(t *testing.T, client *http.Client, r *http.Request) string {
	t.Helper()
	res, err := client.Do(r)
	if err != nil {
		t.Errorf("%s %s: %v", r.Method, r.URL, err)
		return ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
	return res.Status + " " + string(body)
}

func newRequest(t *testing.T, method, target string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", formType)
	}
	return r
}

func TestAppRunsAlone(t *testing.T) {
	app := start(t, "app", "--listen=127.0.0.1:0", "--route=app1", "--insecure-cookie")
	base := "http://" + app.address()
	client := newClient()
	form := strings.NewReader(url.Values{"a": {"1"}}.Encode())
	if got := read(t, client, newRequest(t, "POST", base+"/session", form)); !strings.Contains(got, `"server":"app1"`) {
		t.Errorf("POST /session: got %s", got)
	}
	if got := read(t, client, newRequest(t, "GET", base+"/", nil)); !strings.Contains(got, "<td>1</td>") {
		t.Errorf("page: got %s", got)
	}
	app.stop()
	app.wantEnd(exitOK)
	if out := app.stdout.String(); !strings.HasPrefix(out, "No --nodes given: ") || strings.Count(out, "\n") != 2 {
		t.Errorf("standard output: got %q, want one line about the embedded node and one with the address", out)
	}
	if log := app.stderr.String(); strings.Contains(log, "level=WARN") || strings.Contains(log, "level=ERROR") {
		t.Errorf("log: got %s, want neither warnings nor errors", log)
	}
}

// An app that is told to stop takes nothing new and answers what it has begun.
func TestAppStopsClean(t *testing.T) {
	app := start(t, "app", "--listen=127.0.0.1:0", "--insecure-cookie")
	address := app.address()
	body, answered := heldRequest(t, "http://"+address+"/session")

	app.stop()
	app.stderr.wait(t, "stopping")
	fmt.Fprint(body, "a=1")
	body.Close()
	if got := <-answered; !strings.HasPrefix(got, "200 OK ") || !strings.Contains(got, `"a":"1"`) {
		t.Errorf("request under way: got %s, want 200", got)
	}
	app.wantEnd(exitOK)
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("still listening after the end")
	}
}

// heldRequest posts a form of which the caller sends the body. It returns when
// the handler has begun to read that.
func heldRequest(t *testing.T, target string) (body io.WriteCloser, answered <-chan string) {
	t.Helper()
	source, write := io.Pipe()
	r := newRequest(t, "POST", target, source)
	r.Header.Set("Expect", "100-continue")
	begun := make(chan struct{})
	trace := &httptrace.ClientTrace{Got100Continue: func() { close(begun) }}
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), trace))
	answer := make(chan string, 1)
	go func() { answer <- read(t, newClient(), r) }()
	<-begun
	return write, answer
}

func TestSecureCookieIsExplained(t *testing.T) {
	app := start(t, "app", "--listen=127.0.0.1:0")
	app.address()
	app.stdout.wait(t, "cookie is Secure: .* --insecure-cookie")
}

func TestAppTakesGivenNodes(t *testing.T) {
	cache := start(t, "node", "--listen=127.0.0.1:0")
	node := cache.stdout.wait(t, `on (127\.0\.0\.1:\d+)\.`)[1]
	one := start(t, "app", "--listen=127.0.0.1:0", "--insecure-cookie", "--nodes", "n7:"+node)
	other := start(t, "app", "--listen=127.0.0.1:0", "--insecure-cookie", "--nodes", "n7:"+node)
	client := newClient() // its cookies are for 127.0.0.1, whatever the port
	for i, app := range []*running{one, other, one} {
		got := read(t, client, newRequest(t, "POST", "http://"+app.address()+"/counter/n", nil))
		if want := fmt.Sprintf(`200 OK {"value":%d}`, i+1); strings.TrimSpace(got) != want {
			t.Errorf("counter: got %s, want %s", got, want)
		}
	}
	got := read(t, client, newRequest(t, "GET", "http://"+one.address()+"/session", nil))
	if !strings.Contains(got, `"node":"n7"`) || !strings.Contains(got, `"server":"`+one.address()+`"`) {
		t.Errorf("session: got %s, want it on n7, served by %s", got, one.address())
	}
	for _, r := range []*running{one, other, cache} {
		r.stop()
		r.wantEnd(exitOK)
	}
}

// A session outlives its home, and /stats tells what the server thinks of its nodes.
func TestAppKeepsSessionsOnSeveralNodes(t *testing.T) {
	caches := map[string]*running{}
	var list []string
	for _, name := range []string{"n1", "n2", "n3"} {
		caches[name] = start(t, "node", "--listen=127.0.0.1:0")
		list = append(list, name+":"+caches[name].stdout.wait(t, `on (127\.0\.0\.1:\d+)\.`)[1])
	}
	app := start(t, appOn(strings.Join(list, ", "), "--insecure-cookie", "--failover-nodes=n3")...)
	base, client := "http://"+app.address(), newClient()
	read(t, client, newRequest(t, "POST", base+"/counter/n", nil))
	got := read(t, client, newRequest(t, "GET", base+"/session", nil))
	place := regexp.MustCompile(`"node":"(n[12])".*"copies":\["(n[12])"\]`).FindStringSubmatch(got)
	if place == nil || place[1] == place[2] {
		t.Fatalf("session: got %s, want it on n1 and n2, which are no failover nodes", got)
	}
	caches[place[1]].stop()
	caches[place[1]].wantEnd(exitOK)
	if got := read(t, client, newRequest(t, "POST", base+"/counter/n", nil)); !strings.Contains(got, `{"value":2}`) {
		t.Errorf("counter after its home died: got %s, want 2", got)
	}
	stats := read(t, client, newRequest(t, "GET", base+"/stats", nil))
	for _, want := range []string{`{"name":"n3","state":"up",[^}]*"failover":true}`, `{"name":"` + place[1] + `","state":"(suspect|down)"`, `"created":1,`} {
		if !regexp.MustCompile(want).MatchString(stats) {
			t.Errorf("stats: got %s, want %s", stats, want)
		}
	}
}

func TestNodeIsACacheNode(t *testing.T) {
	cache := start(t, "node", "--listen=127.0.0.1:0", "--max-item=8k")
	nodes, err := memcachedstore.Nodes(cache.stdout.wait(t, `on (127\.0\.0\.1:\d+)\.`)[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	s := nodes[0].Store
	if c, ok := s.(io.Closer); ok {
		defer c.Close()
	}
	checkLimit(t, s, 8<<10)
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := "--listen=" + l.Addr().String()
	rows := []struct {
		args []string
		want string
	}{
		{[]string{"app", taken}, "cannot listen: .*in use"},
		{[]string{"node", taken}, "cannot listen: .*in use"},
		{[]string{"app", "--listen=127.0.0.1:0", "--nodes=n 1:x"}, `nodes: .*write host:port`},
		{[]string{"app", "--listen=127.0.0.1:0", "--nodes=n1:127.0.0.1:1,n1:127.0.0.1:2"}, `nodes: .*same name`},
		{appOn("n1:127.0.0.1:1 n2:127.0.0.1:2", "--copies=3"), `3 copies on 2 nodes: give more nodes, or fewer copies`},
		{appOn("n1:127.0.0.1:1", "--copies=2"), `2 copies on 1 node`},
		{[]string{"app", "--listen=127.0.0.1:0", "--copies=2"}, `2 copies on 1 node`},
		{appOn("n1:127.0.0.1:1,n2:127.0.0.1:2", "--failover-nodes=n2,n3"), `failover node "n3" is not among the nodes`},
		{appOn("n1:127.0.0.1:1,n2:127.0.0.1:2", "--failover-nodes=n1 n2"), `all nodes are failover nodes`},
		{[]string{"app", "--listen=127.0.0.1:0", "--cookie-name=__Host-x", "--insecure-cookie"}, `__Host-.*choose another name`},
	}
	for _, row := range rows {
		r := start(t, row.args...)
		r.stderr.wait(t, row.want)
		r.wantEnd(exitFailed)
	}
}

func appOn(nodes string, more ...string) []string {
	return append([]string{"app", "--listen=127.0.0.1:0", "--nodes=" + nodes}, more...)
}

func TestHelpNamesEveryCommandAndSetting(t *testing.T) {
	model := newParser(new(commands), nil, t.Output(), t.Output(), func(int) {}).Model
	help := start(t, "--help")
	for _, command := range model.Leaves(false) {
		help.stdout.wait(t, `(?m)^  `+command.Name+` `)
		own := start(t, command.Name, "--help")
		for name := range settableFlags(command) {
			own.stdout.wait(t, `--`+name+`\b`)
		}
		own.wantEnd(exitOK)
	}
	help.stdout.wait(t, `HOLDFAST_IDLE_TIMEOUT`)
	help.wantEnd(exitOK)
	start(t, "node", "--help").stdout.wait(t, `For trying and testing`)
	start(t, "app", "--help").stdout.wait(t, `--insecure-cookie to try`)
}

// Help and version answer also where the settings are wrong.
func TestVersion(t *testing.T) {
	stdout := newOutput()
	code := Run(t.Context(), []string{"version"}, []string{"HOLDFAST_NONSENSE=1"}, stdout, t.Output())
	if code != exitOK || !regexp.MustCompile(`^holdfast \S+.* go1\.\d+\S*\n$`).MatchString(stdout.String()) {
		t.Errorf("got code %d and %q, want one line with the versions", code, stdout)
	}
}

// checkLimit checks that s takes items of up to limit bytes.
func checkLimit(t *testing.T, s store.Store, limit int) {
	t.Helper()
	put := func(size int) error {
		item := store.Item{Value: make([]byte, size), TTL: time.Minute}
		_, err := s.Put(t.Context(), "key", item, store.Any)
		return err
	}
	if err := put(limit / 2); err != nil {
		t.Errorf("item of half the limit: got %v", err)
	}
	if err := put(limit); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("item of the limit and its overhead: got %v, want %v", err, store.ErrTooLarge)
	}
}

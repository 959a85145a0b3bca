package demo

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A farm is servers that count and answer with their names, behind a balancer.
type farm struct {
	*balancer
	t       *testing.T
	servers []*httptest.Server
	front   *httptest.Server

	mu    sync.Mutex
	asked map[string]int                                          // guarded by mu
	do    map[string]func(w http.ResponseWriter, r *http.Request) // in place of an answer; guarded by mu
}

func newFarm(t *testing.T, sticky bool, names ...string) *farm {
	f := &farm{t: t, asked: map[string]int{}, do: map[string]func(http.ResponseWriter, *http.Request){}}
	f.balancer = &balancer{sticky: func() bool { return sticky }, to: &http.Transport{}}
	for _, name := range names {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.answer(name, w, r) }))
		t.Cleanup(s.Close)
		f.servers = append(f.servers, s)
		f.balancer.servers = append(f.balancer.servers, newUpstream(name, s.Listener.Addr().String()))
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, Transport: f.balancer, ErrorHandler: apologise}
	f.front = httptest.NewServer(proxy)
	t.Cleanup(f.front.Close)
	return f
}

func (f *farm) answer(name string, w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked[name]++
	do := f.do[name]
	f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if do != nil {
		do(w, r)
		return
	}
	_, _ = io.WriteString(w, name+" "+string(body))
}

func (f *farm) instead(name string, do func(http.ResponseWriter, *http.Request)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.do[name] = do
}

func (f *farm) countOf(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[name]
}

// ask returns status and body.
func (f *farm) ask(method, cookie string) (int, string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.front.URL, strings.NewReader("tea"))
	if err != nil {
		f.t.Fatal(err)
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: rig.CookieName, Value: cookie})
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Error(err)
	}
	return res.StatusCode, string(body)
}

func TestBalancerAsksOneServerAfterTheOther(t *testing.T) {
	f := newFarm(t, false, "app1", "app2", "app3")
	for range 12 {
		f.ask("GET", "id-n1.app1")
	}
	for _, name := range []string{"app1", "app2", "app3"} {
		if got := f.countOf(name); got != 4 {
			t.Errorf("%s got %d of 12 requests, want 4", name, got)
		}
	}
	f.balancer.servers[0].isAway()
	for range 12 {
		f.ask("GET", "")
	}
	if a, b, c := f.countOf("app1"), f.countOf("app2"), f.countOf("app3"); a != 4 || b != 10 || c != 10 {
		t.Errorf("with app1 away: got %d, %d and %d requests, want 4, 10 and 10", a, b, c)
	}
}

func TestStickyBalancerAsksTheServerOfTheCookie(t *testing.T) {
	f := newFarm(t, true, "app1", "app2", "app3")
	for range 5 {
		if _, body := f.ask("POST", "id-n1.app2"); body != "app2 tea" {
			t.Errorf("got an answer of %q, want app2", body)
		}
	}
	f.servers[1].Close()
	f.balancer.to.CloseIdleConnections() // what is sent on one that ends just then has an unknown outcome
	if _, body := f.ask("POST", "id-n1.app2"); body != "app3 tea" {
		t.Errorf("with app2 dead: got an answer of %q, want app3", body)
	}
}

// What a server may have done is not done by another, unless doing it twice does no
// harm.
func TestBalancerRepeatsOnlyWhatCannotHappenTwice(t *testing.T) {
	for method, repeats := range map[string]bool{"GET": true, "PUT": true, "DELETE": true, "POST": false} {
		f := newFarm(t, true, "app1", "app2")
		f.instead("app1", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		status, body := f.ask(method, "id-n1.app1")
		if repeats && (status != http.StatusOK || body != "app2 tea") {
			t.Errorf("%s: got %d %q, want app2's answer", method, status, body)
		}
		if !repeats && (status != http.StatusBadGateway || !strings.Contains(body, `"outcome":"unknown"`) || f.countOf("app2") > 0) {
			t.Errorf("%s: got %d %q and %d requests to app2, want 502, unknown, and none", method, status, body, f.countOf("app2"))
		}
		if f.balancer.servers[0].isUp() {
			t.Errorf("%s: app1 is still asked", method)
		}
	}
}

func TestBalancerWithoutServersRefuses(t *testing.T) {
	f := newFarm(t, false, "app1", "app2")
	for _, s := range f.servers {
		s.Close()
	}
	for range 2 { // it tries, and then it knows
		status, body := f.ask("POST", "")
		if status != http.StatusServiceUnavailable || !strings.Contains(body, `"outcome":"refused"`) {
			t.Errorf("got %d %q, want 503, refused", status, body)
		}
	}
}

// A request that waits for a server which hangs is answered by another one as soon as
// the checks find out.
func TestRequestLeavesAServerThatHangs(t *testing.T) {
	f := newFarm(t, true, "app1", "app2")
	asked := make(chan struct{})
	f.instead("app1", func(_ http.ResponseWriter, r *http.Request) { close(asked); <-r.Context().Done() })
	go func() { <-asked; f.balancer.servers[0].isAway() }()
	if status, body := f.ask("GET", "id-n1.app1"); status != http.StatusOK || body != "app2 tea" {
		t.Errorf("got %d %q, want app2's answer", status, body)
	}
}

func TestChecksFindServersThatLeaveAndReturn(t *testing.T) {
	checked := make(chan struct{}, 1000)
	app := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { checked <- struct{}{} }))
	u := newUpstream("app1", app.Listener.Addr().String())
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { u.watch(ctx) })
	<-u.now().Done() // it listens and does not answer
	app.Start()
	defer app.Close()
	for range 20 { // the first ones had been given up before
		if <-checked; u.isUp() {
			break
		}
	}
	if !u.isUp() {
		t.Error("it answers, and is not found to be back")
	}
	cancel()
	watching.Wait()
}

// What is done while requests are held begins after the last of them, and none comes
// until it is over.
func TestHeldRequestsWaitAndNoneIsUnderWay(t *testing.T) {
	f := newFarm(t, false, "app1")
	begun, goOn := make(chan struct{}), make(chan struct{})
	var over, ended atomic.Bool
	f.instead("app1", func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-goOn
		over.Store(true)
		w.WriteHeader(http.StatusOK)
	})
	var asking sync.WaitGroup
	asking.Go(func() { f.ask("GET", "") })
	<-begun
	go func() { f.awaitHeld(&ended); close(goOn) }()
	err := f.hold(func() error {
		if !over.Load() {
			t.Error("a request is under way")
		}
		f.instead("app1", nil)
		asking.Go(func() { f.ask("GET", "") })
		if err := f.hold(func() error { return nil }); err != errNotAlone {
			t.Errorf("a second hold: got %v, want %v", err, errNotAlone)
		}
		if n := f.countOf("app1"); n != 1 {
			t.Errorf("got %d requests while they are held, want the one before", n)
		}
		return nil
	})
	ended.Store(true)
	if err != nil {
		t.Errorf("hold: got %v", err)
	}
	asking.Wait()
	if n := f.countOf("app1"); n != 2 {
		t.Errorf("got %d requests in all, want 2", n)
	}
}

func (f *farm) awaitHeld(ended *atomic.Bool) {
	for held := false; !held && !ended.Load(); runtime.Gosched() {
		f.barrier.mu.Lock()
		held = f.barrier.held != nil
		f.barrier.mu.Unlock()
	}
}

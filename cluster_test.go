package holdfast_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// A scene is a cluster in fake time on which bob is logged in, and adds to the
// number in his session. It knows what the number may be.
type scene struct {
	*holdfasttest.Site
	t       *testing.T
	bob     *holdfasttest.SiteClient
	servers []string
	nodes   []string
	cookies []string // that bob got, the latest one last

	mu          sync.Mutex     // guards all below
	least, most int            // of the number: what was acknowledged, and what may have happened
	waits       map[string]int // requests that waited, by app server
	last        string         // server that gave bob a cookie
}

const storageKeySize = 43

const operationTimeout = 500 * time.Millisecond

// newScene returns a cluster whose servers do not run yet.
func newScene(t *testing.T, servers, nodes int) *scene {
	s := &scene{Site: holdfasttest.Cluster(t, servers, nodes), t: t, waits: make(map[string]int)}
	for i := range servers {
		s.servers = append(s.servers, fmt.Sprint("app", i+1))
	}
	for i := range nodes {
		s.nodes = append(s.nodes, fmt.Sprint("n", i+1))
	}
	s.Options = &holdfast.Options{OperationTimeout: operationTimeout}
	s.bob = s.Client()
	return s
}

// begin starts the servers and logs bob in, on one of them.
func (s *scene) begin(server string) {
	s.Handle(shop())
	wantStatus(s.t, s.send(server, "/login"), http.StatusOK)
	s.mustAdd(server)
	synctest.Wait() // servers have begun to look after their nodes
}

// shop is the program: bob logs in, adds, looks, and logs out.
func shop() http.Handler {
	session := func(do func(*holdfast.Session)) http.HandlerFunc {
		return func(_ http.ResponseWriter, r *http.Request) { do(holdfast.From(r.Context())) }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/login", session(func(s *holdfast.Session) { s.Login("bob") }))
	mux.HandleFunc("/logout", session(func(s *holdfast.Session) { s.Destroy() }))
	mux.HandleFunc("/add", session(func(s *holdfast.Session) { increment(s) }))
	mux.HandleFunc("/help", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		n, _ := numberKey.Get(s)
		fmt.Fprintf(w, "%s %d", s.Owner(), n)
	})
	return mux
}

// modes are those that promise that nothing acknowledged is lost. Every scene is
// played in them.
var modes = []struct {
	name    string
	options holdfast.Options
}{
	{"non-sticky", holdfast.Options{}},
	{"sticky", holdfast.Options{Sticky: true}},
}

// inCluster plays a scene in which all is well at first, in every mode.
func inCluster(t *testing.T, servers, nodes int, play func(*scene)) {
	t.Helper()
	for _, mode := range modes {
		t.Run(fmt.Sprintf("%s, %d servers, %d nodes", mode.name, servers, nodes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, servers, nodes)
				options := mode.options
				options.OperationTimeout = operationTimeout
				s.Options = &options
				s.begin("app1")
				play(s)
			})
		})
	}
}

// send makes one request of bob's, which may not wait longer than promised.
func (s *scene) send(server, path string) *httptest.ResponseRecorder {
	s.t.Helper()
	began := time.Now()
	w := s.bob.On(server).Get(path)
	took := time.Since(began)
	if took > operationTimeout {
		s.t.Errorf("%s on %s waited %v, want %v at most", path, server, took, operationTimeout)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if took > 0 {
		s.waits[server]++
	}
	for _, c := range w.Result().Cookies() {
		s.cookies, s.last = append(s.cookies, c.Value), server
	}
	return w
}

// remembers reports whether the session is in the memory of server, and bob's cookie
// says so.
func (s *scene) remembers(server string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Options.Sticky && s.last == server
}

// insist sends it until it is acknowledged: the first may have to find out that
// a node hangs.
func (s *scene) insist(server, path string) {
	s.t.Helper()
	for range 3 {
		if s.send(server, path).Code == http.StatusOK {
			return
		}
	}
	s.t.Fatalf("%s on %s is never acknowledged", path, server)
}

// add adds one, and reports whether that was acknowledged.
func (s *scene) add(server string) bool {
	s.t.Helper()
	w := s.send(server, "/add")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most++
	if w.Code == http.StatusOK {
		s.least++
		return true
	}
	if w.Code != http.StatusServiceUnavailable && w.Code != http.StatusBadGateway {
		s.t.Errorf("add on %s: %d %s", server, w.Code, w.Body)
	}
	return false
}

func (s *scene) mustAdd(servers ...string) {
	s.t.Helper()
	for _, server := range servers {
		if !s.add(server) {
			s.t.Errorf("add on %s was not acknowledged", server)
		}
	}
}

// wantNumber wants bob to be logged in on the servers, with all that was
// acknowledged.
func (s *scene) wantNumber(servers ...string) {
	s.t.Helper()
	for _, server := range servers {
		s.wantPage(server, s.send(server, "/"))
	}
}

func (s *scene) wantPage(server string, w *httptest.ResponseRecorder) {
	s.t.Helper()
	var n int
	_, err := fmt.Sscanf(w.Body.String(), "bob %d", &n)
	if err != nil || w.Code != http.StatusOK || n < s.least || n > s.most {
		s.t.Errorf("%s answers %d %q, want bob with %d to %d", server, w.Code, w.Body, s.least, s.most)
	}
}

// wantSettled wants every change to have happened or not, for good: after one
// more that is acknowledged the number stays what it is.
func (s *scene) wantSettled() {
	s.t.Helper()
	s.mustAdd(s.servers[len(s.servers)-1])
	var n int
	fmt.Sscanf(s.send(s.servers[0], "/").Body.String(), "bob %d", &n)
	if n < s.least || n > s.most {
		s.t.Errorf("the number is %d, want %d to %d", n, s.least, s.most)
	}
	s.least, s.most = n, n
	s.wantNumber(s.servers...)
}

// wantLoggedOut wants nobody to see bob. Unavailable is as good as not there.
func (s *scene) wantLoggedOut(servers ...string) {
	s.t.Helper()
	s.haveLookedAgain(servers)
	for _, cookie := range s.cookies {
		for _, server := range servers {
			w := s.present(server, cookie)
			if w.Code != http.StatusServiceUnavailable && w.Body.String() != " 0" {
				s.t.Errorf("after the logout %s answers %d %q", server, w.Code, w.Body)
			}
		}
	}
}

// haveLookedAgain has sticky servers ask the nodes about what they remember: with a
// cookie from before the session went elsewhere they do so behind a request, every
// ten seconds.
func (s *scene) haveLookedAgain(servers []string) {
	if !s.Options.Sticky {
		return
	}
	time.Sleep(11 * time.Second)
	for _, cookie := range s.cookies {
		for _, server := range servers {
			s.present(server, cookie)
		}
	}
	time.Sleep(operationTimeout)
}

// present asks for the page with one of the cookies that bob has had.
func (s *scene) present(server, cookie string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "session", Value: cookie})
	return s.Client().On(server).Do(r)
}

var homeHint = regexp.MustCompile(`-(n\d+)`)

// home of bob's session, as his browser knows it.
func (s *scene) home() string {
	s.t.Helper()
	for i := len(s.cookies) - 1; i >= 0; i-- {
		if m := homeHint.FindStringSubmatch(s.cookies[i]); m != nil {
			return m[1]
		}
	}
	s.t.Fatalf("no cookie of %q names a node", s.cookies)
	return ""
}

// after returns the node i places after the home in list order.
func (s *scene) after(home string, i int) string {
	for at, name := range s.nodes {
		if name == home {
			return s.nodes[(at+i)%len(s.nodes)]
		}
	}
	return ""
}

func (s *scene) copy() string { return s.after(s.home(), 1) }

// restart starts a server anew: it remembers nothing.
func (s *scene) restart(server string) {
	s.KillServer(server)
	s.ReviveServer(server)
}

// repaired passes the time until whatever failed is mended.
func (s *scene) repaired() {
	time.Sleep(time.Minute)
	synctest.Wait()
}

// atCall lets fault happen in the middle of the nth call to any node from now
// on: after it was sent if sent, before if not. It is armed once.
func (s *scene) atCall(nth int, sent bool, fault func(node string)) (happened func() bool) {
	var mu sync.Mutex
	calls, done := 0, false
	due := func() bool {
		mu.Lock()
		defer mu.Unlock()
		calls++
		done = done || calls == nth
		return calls == nth
	}
	for _, node := range s.nodes {
		s.Node(node).Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			hit := len(call.Key) == storageKeySize && due() // and not a sticky server's look after the node
			if hit && !sent {
				fault(node)
			}
			err := next()
			if hit && sent {
				fault(node)
			}
			return err
		})
	}
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		return done
	}
}

func (s *scene) disarm() {
	for _, node := range s.nodes {
		s.Node(node).Intercept(nil)
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// A site is one app server over one cache node that a test can cut off.
type site struct {
	*app
	handler http.Handler
	node    *cutNode
	stop    context.CancelFunc // as a signal does
}

func newSite(t *testing.T) *site {
	t.Helper()
	n := &cutNode{Store: memorystore.New(&memorystore.Options{MaxItem: 1 << 20})}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	m, err := holdfast.New([]store.Node{{Name: "n1", Store: n}}, &holdfast.Options{Route: "app1", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: got %v", err)
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	a := newApp(m, "app1", log, ctx.Done())
	return &site{a, a.handler(), n, stop}
}

// A cutNode is a cache node that a test can cut off, and whose writes it can
// delay and change.
type cutNode struct {
	store.Store
	down      atomic.Bool
	beforePut func()                                // nil: nothing
	rewrite   func(key string, value []byte) []byte // nil: items are kept as they come
}

func (n *cutNode) reach() error {
	if n.down.Load() {
		return fmt.Errorf("cut off by the test: %w", store.ErrUnavailable)
	}
	return nil
}

func (n *cutNode) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	if err := n.reach(); err != nil {
		return store.Item{}, err
	}
	return n.Store.Get(ctx, key, part)
}

func (n *cutNode) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	if n.beforePut != nil {
		n.beforePut()
	}
	if err := n.reach(); err != nil {
		return store.Version{}, err
	}
	if n.rewrite != nil {
		item.Value = n.rewrite(key, item.Value)
	}
	return n.Store.Put(ctx, key, item, at)
}

// A browser keeps cookies, and sends them with every request to its site.
type browser struct {
	t       *testing.T
	site    http.Handler
	cookies map[string]string
}

func newBrowser(t *testing.T, s *site) *browser {
	return &browser{t, s.handler, map[string]string{}}
}

// clone is another window: the cookies so far, and its own from now on.
func (b *browser) clone() *browser {
	cookies := map[string]string{}
	maps.Copy(cookies, b.cookies)
	return &browser{b.t, b.site, cookies}
}

// An answer is a response, read.
type answer struct {
	*http.Response
	body string
}

// send sends a request, with fields ("name", "value", …) as its form.
func (b *browser) send(method, target string, fields ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if len(fields) > 0 {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.do(r)
}

func (b *browser) do(r *http.Request) answer {
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.site.ServeHTTP(w, r)
	res := w.Result()
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return answer{res, w.Body.String()}
}

// submit sends a form of the page and follows the redirect back to it.
func (b *browser) submit(target string, fields ...string) answer {
	b.t.Helper()
	got := b.send("POST", target, fields...)
	if got.StatusCode != http.StatusSeeOther {
		b.t.Errorf("POST %s %q: got %s %s, want 303", target, fields, got.Status, got.body)
		return got
	}
	return b.send("GET", got.Header.Get("Location"))
}

// json is the body as an object.
func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	if kind := a.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("Content-Type: got %q with %s %s, want application/json", kind, a.Status, a.body)
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(a.body), &object); err != nil {
		t.Errorf("body %q: %v", a.body, err)
	}
	return object
}

// wantError checks for a JSON error of that status whose text contains part.
func (a answer) wantError(t *testing.T, status int, part string) {
	t.Helper()
	text, _ := a.json(t)["error"].(string)
	if a.StatusCode != status || !strings.Contains(text, part) {
		t.Errorf("got %s %s, want %d with an error about %q", a.Status, a.body, status, part)
	}
}

// wantJSON checks for status 200 and that the object has these members.
func (a answer) wantJSON(t *testing.T, members string) map[string]any {
	t.Helper()
	var want map[string]any
	if err := json.Unmarshal([]byte(members), &want); err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	got := a.json(t)
	for name, value := range want {
		if fmt.Sprint(got[name]) != fmt.Sprint(value) {
			t.Errorf("%s: got %v in %s %s, want %v", name, got[name], a.Status, a.body, value)
		}
	}
	if a.StatusCode != http.StatusOK {
		t.Errorf("got %s %s, want 200", a.Status, a.body)
	}
	return got
}

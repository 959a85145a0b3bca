package integration

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const cookieName = "session"

// A browser keeps the session cookie of one user. Requests may run in
// parallel; each sends the newest cookie at its start.
type browser struct {
	client *http.Client

	mu     sync.Mutex // guards cookie
	cookie string     // name=value; empty: none
}

func newBrowser() *browser { return &browser{client: newClient(8)} }

func newClient(parallel int) *http.Client {
	return &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: parallel},
		Timeout:   20 * time.Second,
	}
}

// clone is another window with the same cookie, which then goes its own way.
func (b *browser) clone() *browser {
	return &browser{client: b.client, cookie: b.jar()}
}

func (b *browser) jar() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cookie
}

// An answer is what came back, or err if nothing did.
type answer struct {
	err    error
	status int
	header http.Header
	body   string
	cookie *http.Cookie // the session cookie that the answer sets, if any
}

func (b *browser) get(url string) answer { return b.do(http.MethodGet, url, "") }

// post sends a form, given as name, value, name, value, ….
func (b *browser) post(target string, fields ...string) answer {
	return b.do(http.MethodPost, target, form(fields...))
}

func form(fields ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return values.Encode()
}

func (b *browser) do(method, target, body string) answer {
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie := b.jar(); cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	return b.send(req)
}

func (b *browser) send(req *http.Request) answer {
	resp, err := b.client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{err: err}
	}
	got := answer{status: resp.StatusCode, header: resp.Header, body: string(content)}
	for _, c := range resp.Cookies() {
		if c.Name == cookieName {
			got.cookie = c
			b.keep(c)
		}
	}
	return got
}

func (b *browser) keep(c *http.Cookie) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cookie = c.Name + "=" + c.Value
	if c.MaxAge < 0 {
		b.cookie = ""
	}
}

// removes is true for an answer that takes the session cookie away.
func (a answer) removes() bool { return a.cookie != nil && a.cookie.MaxAge < 0 }

// unknown is true if nobody can tell whether the request was done: no answer,
// or one that a balancer gives, or a store that did not answer.
func (a answer) unknown() bool {
	switch a.status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return a.err != nil
}

// A view is what GET /session answers.
type view struct {
	Server     string
	ID         string
	New        bool
	Node       string
	Route      string
	Copies     []string
	Created    time.Time
	Owner      string
	Attributes map[string]any
}

func (a answer) view(t *testing.T) view {
	t.Helper()
	var v view
	a.decode(t, &v)
	return v
}

// value is the answer of the counter.
func (a answer) value(t *testing.T) int64 {
	t.Helper()
	var counter struct{ Value int64 }
	a.decode(t, &counter)
	return counter.Value
}

func (a answer) decode(t *testing.T, into any) {
	t.Helper()
	if a.err != nil || a.status != http.StatusOK {
		t.Fatalf("got status %d, %v, body %q, want 200", a.status, a.err, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("answer %q: %v", a.body, err)
	}
}

// want checks the status.
func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.err != nil || a.status != status {
		t.Errorf("got status %d, %v, body %q, want %d", a.status, a.err, a.body, status)
	}
	return a
}

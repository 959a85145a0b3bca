package overload

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOverload: while an app server gets more than it is made for, its memory stays
// bounded, what is too much gets the right error, and all honest requests are
// answered rightly. With -full it logs the table of docs/testing.md: what honest
// requests took meanwhile.
func TestOverload(t *testing.T) {
	var rows []string
	for _, l := range loads() {
		t.Run(l.name, func(t *testing.T) { rows = append(rows, l.run(t)) })
	}
	if *full {
		t.Logf("\n%s\n%s", tableHead, strings.Join(rows, "\n"))
	}
}

const tableHead = `| what comes beside honest requests | its answers | honest requests: answered, wrong | their p50 and p99, quiet | and meanwhile | p99, times | memory before, at most, after |
|---|---|---|---|---|---|---|`

const mib = 1 << 20

// A load is what comes beside the honest requests.
type load struct {
	name  string
	flags []string                                     // of the app server
	most  int64                                        // bytes by which its memory may grow
	put   func(t *testing.T, s *site) (answers string) // puts it on, and looks at its answers
}

func loads() []load {
	return []load{
		{"invented ids", nil, 64 * mib, invent(rand.Text)},
		{"invented ids, signed cookies", []string{"--key-file"}, 64 * mib, invent(rand.Text)},
		{"invented ids, sticky", []string{"--sticky"}, 64 * mib, invent(func() string { return rand.Text() + ".app1" })},
		{"invented node names", nil, 64 * mib, invent(func() string { return rand.Text() + "-" + rand.Text() })},
		{"invented node names for a session that is there", nil, 64 * mib, misleading},
		{"sessions above 1 MiB", nil, 192 * mib, tooLarge},
		{"changes of a session of 10,000 attributes", nil, 256 * mib, manyAttributes},
		{"idle connections", nil, 8000 * 64 << 10, idleConnections},
		{"clients that read slowly", nil, 512 * mib, slowReaders},
		{"clients that send slowly", nil, 64 * mib, slowSenders},
		{"a node at a tenth of its speed", nil, 64 * mib, slowNode},
	}
}

// run returns the row of the table.
func (l load) run(t *testing.T) string {
	if len(l.flags) == 1 && l.flags[0] == "--key-file" {
		l.flags = append(l.flags, keyFile(t))
	}
	s := startSite(t, l.flags...)
	users := startHonest(t, s)
	quiet := users.during(func() { time.Sleep(measured()) })
	before, watch := s.memory(), watchMemory(s)
	var answers string
	meanwhile := users.during(func() { answers = l.put(t, s) })
	most := watch()
	after := users.during(func() { time.Sleep(measured() / 2) })
	for _, f := range []*figures{quiet, meanwhile, after} {
		for i, wrong := range f.wrong {
			if i < 3 {
				t.Errorf("one of %d wrong answers to honest requests: %s", len(f.wrong), wrong)
			}
		}
	}
	if most > before+l.most {
		t.Errorf("the app server's memory grows from %d to %d MiB", before/mib, most/mib)
	}
	if len(meanwhile.latencies) == 0 {
		t.Error("no honest request was answered meanwhile")
	}
	row := fmt.Sprintf("| %s | %s | %d, %d | %s | %s | %.1f | %d, %d, %d MiB |", l.name, answers, len(meanwhile.latencies), len(meanwhile.wrong),
		quiet, meanwhile, meanwhile.percentile(0.99).Seconds()/quiet.percentile(0.99).Seconds(), before/mib, most/mib, s.memory()/mib)
	t.Log(row)
	return row
}

func (f *figures) String() string {
	return fmt.Sprintf("%.2f, %.2f ms", f.percentile(0.5).Seconds()*1e3, f.percentile(0.99).Seconds()*1e3)
}

// measured is how long the honest users are looked at.
func measured() time.Duration {
	if *full {
		return 10 * time.Second
	}
	return 100 * time.Millisecond
}

// watchMemory returns what tells the most that the app server has had since.
func watchMemory(s *site) (most func() int64) {
	stop, told := make(chan struct{}), make(chan int64)
	go func() {
		var most int64
		for {
			most = max(most, s.memory())
			select {
			case <-stop:
				told <- most
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() int64 { close(stop); return <-told }
}

func keyFile(t *testing.T) string {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(key)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// invent reads sessions that nobody has.
func invent(cookie func() string) func(*testing.T, *site) string {
	return func(t *testing.T, s *site) string {
		before := s.stats(t)
		got := inFlood(5000, func(c *client) (answer, error) {
			c.cookie = cookie()
			return c.do(http.MethodGet, "/session", "")
		}).run(t, s)
		got.only(t, http.StatusNotFound)
		now := s.stats(t)
		if now.Created != before.Created || now.Placement.LostInStore != before.Placement.LostInStore {
			t.Errorf("invented ids have made %d sessions, and count as %d lost", now.Created-before.Created, now.Placement.LostInStore-before.Placement.LostInStore)
		}
		if signed := strings.Contains(t.Name(), "signed"); signed && now.Forged-before.Forged != uint64(got.counts[http.StatusNotFound]) {
			t.Errorf("%d ids count as forged, want %d", now.Forged-before.Forged, got.counts[http.StatusNotFound])
		}
		return got.String()
	}
}

// inFlood is so many requests a second, or a second's worth of them without -full.
func inFlood(perSecond int, send func(*client) (answer, error)) flood {
	if !*full {
		return flood{total: perSecond, connections: 16, send: send}
	}
	return flood{total: perSecond * int(measured().Seconds()), perSecond: perSecond, connections: 64, send: send}
}

// misleading reads a session with cookies that name other nodes than its own.
func misleading(t *testing.T, s *site) string {
	victim := begin(t, s, "x=1")
	id, _, _ := strings.Cut(victim.cookie, "-")
	got := inFlood(1000, func(c *client) (answer, error) {
		c.cookie = id + "-" + rand.Text() + ".app1"
		return c.do(http.MethodGet, "/session", "")
	}).run(t, s)
	got.only(t, http.StatusOK)
	if n := len(s.stats(t).Nodes); n != 2 {
		t.Errorf("the app server knows %d nodes now, want 2", n)
	}
	return got.String()
}

// begin makes a session with the fields of form.
func begin(t *testing.T, s *site, form string) *client {
	t.Helper()
	c, err := dial(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.conn.Close() })
	if got, err := c.do(http.MethodPost, "/session", form); err != nil || got.status != http.StatusOK {
		t.Fatalf("a session of %d bytes: status %d, %v, %.200q", len(form), got.status, err, got.body)
	}
	return c
}

// tooLarge tries to store more than a node takes, in a session that stays as it was.
func tooLarge(t *testing.T, s *site) string {
	victim := begin(t, s, "big="+strings.Repeat("v", 900<<10))
	before := s.stats(t)
	tooMuch := "more=" + strings.Repeat("w", 1200<<10)
	got := inFlood(20, func(c *client) (answer, error) {
		c.cookie = victim.cookie
		return c.do(http.MethodPost, "/session", tooMuch)
	}).run(t, s)
	got.only(t, http.StatusRequestEntityTooLarge)
	if failures := s.stats(t).Failures - before.Failures; failures < uint64(got.counts[http.StatusRequestEntityTooLarge]) {
		t.Errorf("%d failures are counted, want %d", failures, got.counts[http.StatusRequestEntityTooLarge])
	}
	if now, err := victim.do(http.MethodGet, "/session", ""); err != nil || !strings.Contains(now.body, "vvvv") || strings.Contains(now.body, "more") {
		t.Errorf("the session afterwards: status %d, %d bytes, %v; want it as it was", now.status, len(now.body), err)
	}
	return got.String()
}

// manyAttributes changes one of 10,000.
func manyAttributes(t *testing.T, s *site) string {
	var form strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&form, "&a%05d=value+%d", i, i)
	}
	victim := begin(t, s, form.String()[1:])
	got := inFlood(10, func(c *client) (answer, error) {
		c.cookie = victim.cookie
		return c.do(http.MethodPost, "/counter/n", "")
	}).run(t, s)
	got.only(t, http.StatusOK)
	now, err := victim.do(http.MethodGet, "/session", "")
	if n := strings.Count(now.body, `":"value `); err != nil || n != 10_000 {
		t.Errorf("the session has %d of its 10,000 attributes, %v", n, err)
	}
	if want := fmt.Sprintf(`"n":%d`, got.counts[http.StatusOK]); !strings.Contains(now.body, want) {
		t.Errorf("the session lacks %s, the changes that were acknowledged", want)
	}
	return got.String()
}

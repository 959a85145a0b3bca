package integration

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// BenchmarkShutdown stops a server of sticky mode that has sent no change of its
// sessions, of 1 KiB each, since its memcached was stopped for as long as they were made.
func BenchmarkShutdown(b *testing.B) {
	const sessions = 100_000
	for b.Loop() {
		b.StopTimer()
		server := servers.StartMemcached(b, "-m", "1024", "-t", "2")
		m := openAsync(b, server.Addr)
		cookies := makeSessions(b, m, sessions)
		server.Freeze()
		for _, cookie := range cookies {
			fill(b, m, cookie)
		}
		server.Thaw()
		unsent := m.Stats().Local.Unsent
		b.StartTimer()
		began, cpu := time.Now(), processCPU(b)
		if err := m.Shutdown(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/shutdown")
		b.ReportMetric((processCPU(b) - cpu).Seconds(), "cpu-s/shutdown")
		b.ReportMetric(float64(unsent), "unsent")
		if got := currItems(b, server.Addr); got < sessions {
			b.Errorf("%d sessions are on the node, want %d", got, sessions)
		}
		server.Kill()
	}
}

func openAsync(b *testing.B, addr string) *holdfast.Manager {
	nodes, err := memcachedstore.Nodes("n1:"+addr, nil)
	if err != nil {
		b.Fatal(err)
	}
	m, err := holdfast.New(nodes, &holdfast.Options{Sticky: true, BackupAsync: true})
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// makeSessions returns the cookies of n sessions.
func makeSessions(b *testing.B, m *holdfast.Manager, n int) (cookies []string) {
	for range n {
		cookie, _, _ := strings.Cut(fill(b, m, "").Get("Set-Cookie"), ";")
		cookies = append(cookies, cookie)
	}
	return cookies
}

var cart = holdfast.NewKey[string]("cart")

// fill sets 1 KiB in the session of cookie, and returns the header of the answer.
func fill(b *testing.B, m *holdfast.Manager, cookie string) http.Header {
	value := strings.Repeat("v", 1024)
	h := m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = cart.Set(holdfast.From(r.Context()), value)
	}))
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
	r.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("a session: status %d", w.Code)
	}
	return w.Header()
}

// currItems is how many items a memcached says it has.
func currItems(b *testing.B, addr string) (n int) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, "stats\r\n"); err != nil {
		b.Fatal(err)
	}
	for lines := bufio.NewScanner(conn); lines.Scan() && lines.Text() != "END"; {
		_, _ = fmt.Sscanf(lines.Text(), "STAT curr_items %d", &n) // the other lines do not match
	}
	return n
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/staging"
)

// TestMain lets the test binary be the app servers that holdfast check starts.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) < 2 || os.Args[1] != "app":
		os.Exit(m.Run())
	case os.Getenv(forgetting) != "":
		os.Exit(runForgetful(os.Args[1:]))
	}
	main()
}

// checked runs holdfast check for a short time, and returns its report.
func checked(t *testing.T, code int, args ...string) (r staging.Report) {
	t.Helper()
	if _, err := exec.LookPath("memcached"); err != nil {
		t.Skip("memcached is not installed")
	}
	running := start(t, append([]string{"check", "--json", "--spawn=2"}, args...)...)
	running.wantEnd(code)
	if err := json.Unmarshal([]byte(running.stdout.String()), &r); err != nil {
		t.Fatalf("%v: %s", err, running.stdout)
	}
	return r
}

func TestCheckKeepsCountOfWhatItDid(t *testing.T) {
	page := filepath.Join(t.TempDir(), "report.html")
	r := checked(t, exitOK, "--seconds=8", "--html="+page)
	if r.Accepted < 80 || len(r.Faults) == 0 || r.Done["login"] == 0 || len(r.Moments) < 8 {
		t.Errorf("got %d accepted requests, %d faults, %v, %d moments", r.Accepted, len(r.Faults), r.Done, len(r.Moments))
	}
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Faults {
		if !strings.Contains(string(content), f.What) {
			t.Errorf("the page does not name %q", f.What)
		}
	}
}

// The servers answer every tenth change of the counter and forget it.
func TestCheckFindsForgottenChanges(t *testing.T) {
	t.Setenv(forgetting, "10")
	r := checked(t, exitFailed, "--seconds=5")
	if len(r.Wrong) == 0 || !strings.Contains(strings.Join(r.Wrong, "\n"), "key hits") {
		t.Errorf("got %q, want violations of hits", r.Wrong)
	}
	if len(r.Evidence) == 0 || !strings.HasPrefix(r.Verdict, "Promises were broken") {
		t.Errorf("got verdict %q and the operations of %d sessions", r.Verdict, len(r.Evidence))
	}
}

func TestCheckRefusesWhatItCannotDo(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "which nodes?"},
		{[]string{"--spawn=2", "--nodes=n1:a:1"}, "which nodes?"},
		{[]string{"--spawn=1"}, "at least 2"},
		{[]string{"--spawn=2", "--servers=1"}, "at least 2"},
		{[]string{"--nodes=n1:/run/memcached.sock"}, "unix socket"},
		{[]string{"--nodes=n1"}, "write host:port"},
	} {
		wantErrorWith(t, append([]string{"check"}, c.args...), nil, c.want)
	}
}

func TestCheckNamesNodesAsAppServersGetThem(t *testing.T) {
	for given, want := range map[string]string{
		"a:1":              "n1:a:1",
		"[::1]:1":          "n1:[::1]:1",
		"n7:a:1":           "n7:a:1",
		"n1:a:1, n2:b:2\n": "n1:a:1 n2:b:2",
	} {
		if got, err := (&checkCommand{Nodes: given}).nodes(); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: got %q and %v, want %q", given, got, err, want)
		}
	}
}

func TestCheckKeepsThePasswordOffTheCommandLine(t *testing.T) {
	c := &checkCommand{NodeUser: "ann", NodePassword: "secret"}
	got := c.environment([]string{"PATH=/bin", "HOLDFAST_SECONDS=5"})
	want := []string{"PATH=/bin", "HOLDFAST_NODE_USER=ann", "HOLDFAST_NODE_PASSWORD=secret"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// forgetting is the variable that has app servers forget one of so many changes.
const forgetting = "CHECK_TEST_FORGETS_ONE_OF"

// runForgetful runs an app server behind a proxy that forgets.
func runForgetful(args []string) int {
	at := slices.Index(args, "--listen") + 1
	l, err := net.Listen("tcp", args[at])
	if err != nil {
		return exitFailed
	}
	hidden, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return exitFailed
	}
	args[at] = hidden.Addr().String()
	_ = hidden.Close()
	real := &url.URL{Scheme: "http", Host: args[at]}
	go func() { _ = http.Serve(l, &forgetful{next: httputil.NewSingleHostReverseProxy(real), real: real}) }()
	return Run(context.Background(), args, os.Environ(), io.Discard, io.Discard)
}

type forgetful struct {
	next    http.Handler
	real    *url.URL
	changes atomic.Int64
}

// ServeHTTP answers some increments with what they would have given.
func (f *forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	oneOf, _ := strconv.Atoi(os.Getenv(forgetting))
	if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/counter/") && f.changes.Add(1)%int64(oneOf) == 0 {
		r.Method = http.MethodGet
		w = &oneMore{ResponseWriter: w}
	}
	f.next.ServeHTTP(w, r)
}

type oneMore struct{ http.ResponseWriter }

func (w *oneMore) WriteHeader(status int) {
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(status)
}

func (w *oneMore) Write(body []byte) (int, error) {
	var counter struct{ Value *int64 }
	if json.Unmarshal(bytes.TrimSpace(body), &counter) != nil || counter.Value == nil {
		return w.ResponseWriter.Write(body)
	}
	_, err := fmt.Fprintf(w.ResponseWriter, `{"value":%d}`, *counter.Value+1)
	return len(body), err
}

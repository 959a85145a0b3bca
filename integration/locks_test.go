package integration

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// A lockFarm is two app servers that add as only a lock allows, on two memcached.
type lockFarm struct {
	t     *testing.T
	nodes []*servers.Memcached
	apps  []*servers.Process
	urls  []string // by app
	user  *browser // with a session
}

const lockLease = time.Second

// buildLockApp builds lockapp once, for the first test that needs it.
var buildLockApp = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildFolder, "lockapp")
	cmd := exec.Command("go", "build", "-o", path, "./lockapp")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return path, nil
})

func startLockFarm(t *testing.T, mode string, nodes int) *lockFarm {
	t.Helper()
	path, err := buildLockApp()
	if err != nil {
		t.Fatal(err)
	}
	f := &lockFarm{t: t, user: newBrowser()}
	var list []string
	for i := range nodes {
		f.nodes = append(f.nodes, servers.StartMemcached(t))
		list = append(list, nodeName(i)+":"+f.nodes[i].Addr)
	}
	for range 2 {
		addr := freeAddr(t)
		app := servers.NewProcess(t, func() error { return answersReady(addr) }, path,
			"-listen", addr, "-nodes", strings.Join(list, ","), "-mode", mode, "-wait", "20s", "-lease", lockLease.String())
		app.Start()
		f.apps, f.urls = append(f.apps, app), append(f.urls, "http://"+addr)
	}
	f.user.post(f.urls[0]+"/begin").want(t, http.StatusOK)
	return f
}

// add adds one on an app server, and works meanwhile.
func (f *lockFarm) add(app int, work time.Duration) answer {
	return f.user.post(f.urls[app]+"/add", "work", work.String())
}

func (f *lockFarm) wantNumber(want int) {
	f.t.Helper()
	for app, url := range f.urls {
		got := f.user.get(url + "/number")
		if n, err := strconv.Atoi(got.body); got.status != http.StatusOK || err != nil || n != want {
			f.t.Errorf("app%d answers %d %q, want the number %d", app+1, got.status, got.body, want)
		}
	}
}

func TestAHundredOfAHundredInEachLockModeOnRealServers(t *testing.T) {
	for _, mode := range []string{"all", "auto", "requests", "app"} {
		t.Run(mode, func(t *testing.T) {
			f := startLockFarm(t, mode, 2)
			var all sync.WaitGroup
			for i := range 10 {
				all.Go(func() {
					for range 10 {
						f.add(i%2, 0).want(t, http.StatusOK)
						f.user.get(f.urls[i%2]+"/number").want(t, http.StatusOK)
					}
				})
			}
			all.Wait()
			f.wantNumber(100)
		})
	}
}

// The control: without locks the same program loses updates.
func TestWithoutLocksTheSameProgramLosesUpdates(t *testing.T) {
	f := startLockFarm(t, "none", 2)
	f.inParallel(8, 50*time.Millisecond)
	if got := f.user.get(f.urls[0] + "/number").body; got == "8" {
		t.Error("nothing was lost: the requests never met")
	}
}

func TestEightParallelRequestsOfFiftyMillisecondsAreAllKeptOnRealServers(t *testing.T) {
	f := startLockFarm(t, "all", 2)
	began := time.Now()
	f.inParallel(8, 50*time.Millisecond)
	t.Logf("8 requests of 50 ms on two servers: %v", time.Since(began))
	f.wantNumber(8)
}

func (f *lockFarm) inParallel(n int, work time.Duration) {
	f.t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f.add(i%2, work).want(f.t, http.StatusOK) })
	}
	all.Wait()
}

// The lock's holder is stopped for longer than its lease, and goes on before or
// after the next one is done: it stores nothing, and the other is not disturbed.
func TestAStoppedLockHolderDoesNoHarm(t *testing.T) {
	for round, work := range []time.Duration{0, time.Second} {
		t.Run(fmt.Sprintf("the next one works %v", work), func(t *testing.T) {
			f := startLockFarm(t, "all", 2)
			stopped, other := make(chan answer), make(chan answer)
			go func() { stopped <- f.add(0, 300*time.Millisecond) }()
			time.Sleep(100 * time.Millisecond) // it has the lock, and works
			f.apps[0].Freeze()
			began := time.Now()
			go func() { other <- f.add(1, work) }()
			if round == 0 {
				(<-other).want(t, http.StatusOK)
				if took := time.Since(began); took < lockLease/2 {
					t.Errorf("it had the lock after %v: the other one never had it", took)
				}
				f.apps[0].Thaw()
				(<-stopped).want(t, http.StatusConflict)
			} else {
				time.Sleep(lockLease + work/2)
				f.apps[0].Thaw()
				(<-stopped).want(t, http.StatusConflict)
				(<-other).want(t, http.StatusOK)
			}
			f.wantNumber(1)
			began = time.Now()
			f.add(1, 0).want(t, http.StatusOK)
			if took := time.Since(began); took > lockLease {
				t.Errorf("the lock was free after %v", took)
			}
			f.wantNumber(2)
		})
	}
}

func TestAKilledLockHoldersLockEndsWithItsLease(t *testing.T) {
	f := startLockFarm(t, "all", 2)
	go f.add(0, 10*time.Second)
	time.Sleep(200 * time.Millisecond)
	f.apps[0].Kill()
	began := time.Now()
	f.add(1, 0).want(t, http.StatusOK)
	took := time.Since(began)
	t.Logf("a lease of %v, the lock of a server that was killed ended after %v", lockLease, took)
	if took > 5*lockLease {
		t.Errorf("the next one waited %v, want about %v", took, lockLease)
	}
	f.apps[0].Start()
	f.wantNumber(1)
}

// Faults under load: what was acknowledged is stored, and nothing else.
func TestLocksLoseNothingWhenTheirNodeFails(t *testing.T) {
	f := startLockFarm(t, "all", 2)
	var added, refused, unknown atomic.Int64
	done := make(chan struct{})
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				switch got := f.add(i%2, 10*time.Millisecond); got.status {
				case http.StatusOK:
					added.Add(1)
				case http.StatusConflict:
					refused.Add(1)
				case http.StatusServiceUnavailable:
					unknown.Add(1)
				default:
					t.Errorf("status %d, error %v", got.status, got.err)
				}
			}
		})
	}
	for _, n := range f.nodes {
		time.Sleep(time.Second)
		n.Kill()
		time.Sleep(2 * time.Second)
		n.Start()
		time.Sleep(5 * time.Second) // until it is asked again, and has copies
	}
	close(done)
	all.Wait()
	t.Logf("%d added, %d refused, %d not available", added.Load(), refused.Load(), unknown.Load())
	got, err := strconv.Atoi(f.user.get(f.urls[0] + "/number").body)
	if err != nil || got < int(added.Load()) || got > int(added.Load()+unknown.Load()) {
		t.Errorf("the number is %d, %v; want %d, and at most %d more", got, err, added.Load(), unknown.Load())
	}
	if added.Load() < 50 {
		t.Errorf("only %d were added", added.Load())
	}
}

// The same with the command, whose settings say who locks.
func TestAStoppedLockHolderOfTheCommandDoesNoHarm(t *testing.T) {
	f := startFarm(t, commandPath(t), 2, 2, "--locking", "all", "--lock-lease", lockLease.String())
	user := newBrowser()
	user.post(f.apps[0].url()+"/session", "x", "old").want(t, http.StatusOK)
	stopped := make(chan answer)
	go func() { stopped <- user.post(f.apps[0].url()+"/slow?ms=300&at=read", "x", "late") }()
	time.Sleep(100 * time.Millisecond) // it has the lock, and waits
	f.apps[0].Freeze()
	user.post(f.apps[1].url()+"/session", "x", "new").want(t, http.StatusOK)
	f.apps[0].Thaw()
	(<-stopped).want(t, http.StatusConflict)
	if got := user.get(f.apps[1].url() + "/session"); !strings.Contains(got.body, "new") || strings.Contains(got.body, "late") {
		t.Errorf("the session is %s", got.body)
	}
}

//go:build linux

package integration

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// BenchmarkClients measures memcachedstore beside gomemcache with a pool of 256
// connections, both at the same memcached and in turns, with values of 1 KiB.
// Each iteration is a round of both. times is how many operations a second ours
// does for one of gomemcache, over all rounds together; figures with "their" are
// gomemcache's; cpu is of this process, server of memcached. Every few rounds both
// connect anew: on which core one caller and its thread of memcached come to lie
// decides more than the client does, and stays so while the connection lasts.
func BenchmarkClients(b *testing.B) {
	server := servers.StartMemcached(b, "-t", "2")
	far := startDelay(b, server.Addr, 250*time.Microsecond)
	for _, row := range []struct {
		callers, operations int // of a round
		addr, distance      string
	}{
		{1, 1000, server.Addr, "near"},
		{32, 6000, server.Addr, "near"},
		{256, 12000, server.Addr, "near"},
		{256, 12000, far, "500us"},
	} {
		for _, verb := range []string{"get", "set"} {
			b.Run(fmt.Sprintf("%s/%d/%s", verb, row.callers, row.distance), func(b *testing.B) {
				d := duel{server: server.Pid(), addr: row.addr, verb: verb, callers: row.callers, operations: row.operations}
				d.fight(b)
			})
		}
	}
}

// startDelay starts a proxy that adds latency both ways, and returns its address.
func startDelay(b *testing.B, server string, each time.Duration) string {
	b.Helper()
	path := filepath.Join(buildFolder, "delay")
	if out, err := exec.Command("go", "build", "-o", path, "./delay").CombinedOutput(); err != nil {
		b.Fatalf("building delay: %v\n%s", err, out)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", servers.FreePort(b))
	servers.NewProcess(b, accepting(addr), path, addr, server, each.String()).Start()
	return addr
}

func accepting(addr string) func() error {
	return func() error {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// A duel is between two clients: rounds in turns, each of so many operations
// by so many callers.
type duel struct {
	server              int // its process
	addr, verb          string
	callers, operations int
	keys                []string
	connections         int // of each, so far
}

const roundsOfAConnection = 4

// An operation is a get or set of one client.
type operation func(key string) error

// connect returns the operations of the two, warm, with items under all keys. Who
// connects first gets one thread of memcached, the other the next.
func (d *duel) connect(b *testing.B) (ours, theirs operation, hangUp func()) {
	b.Helper()
	s, err := memcachedstore.New(d.addr, nil)
	if err != nil {
		b.Fatal(err)
	}
	peer := memcache.New(d.addr)
	peer.MaxIdleConns, peer.Timeout = 256, 10*time.Second
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	hangUp = func() { cancel(); peer.Close(); s.Close() }
	if d.verb == "get" {
		ours, theirs = ourGet(ctx, s), theirGet(peer)
	} else {
		value := bytes.Repeat([]byte("v"), 1024)
		ours, theirs = ourSet(ctx, s, value), theirSet(peer, value)
	}
	if d.keys == nil {
		d.keys = benchmarkKeys(b, s)
	}
	d.connections++
	first, second := ours, theirs
	if d.connections%2 == 0 {
		first, second = theirs, ours
	}
	d.round(b, first)
	d.round(b, second)
	return ours, theirs, hangUp
}

func ourGet(ctx context.Context, s *memcachedstore.Store) operation {
	return func(key string) error {
		_, err := s.Get(ctx, key, store.Whole)
		return err
	}
}

func ourSet(ctx context.Context, s *memcachedstore.Store, value []byte) operation {
	return func(key string) error {
		_, err := s.Put(ctx, key, store.Item{Value: value, TTL: time.Hour}, store.Any)
		return err
	}
}

func theirGet(peer *memcache.Client) operation {
	return func(key string) error {
		_, err := peer.Get(key)
		return err
	}
}

func theirSet(peer *memcache.Client, value []byte) operation {
	return func(key string) error {
		return peer.Set(&memcache.Item{Key: key, Value: value, Expiration: 3600})
	}
}

// fight reports the means of b.N rounds.
func (d *duel) fight(b *testing.B) {
	var our, their rounds
	for len(our) < b.N {
		ours, theirs, hangUp := d.connect(b)
		for n := 0; n < roundsOfAConnection && len(our) < b.N; n++ {
			if n%2 == 0 {
				our = append(our, d.round(b, ours))
				their = append(their, d.round(b, theirs))
			} else {
				their = append(their, d.round(b, theirs))
				our = append(our, d.round(b, ours))
			}
		}
		hangUp()
	}
	b.ReportMetric(0, "ns/op") // of a round of both: says nothing
	our.report(b, "")
	their.report(b, "their-")
	b.ReportMetric(their.took()/our.took(), "times")
}

// round runs the operations of a round.
func (d *duel) round(b *testing.B, op operation) cost {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	end := d.begin(b)
	for range d.callers {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(d.operations); n = next.Add(1) {
				if err := op(d.keys[int(n)%len(d.keys)]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return end()
}

// A cost is of one operation, in nanoseconds.
type cost struct {
	took, cpu, server, allocs float64
}

// begin returns a function that tells the cost from now on.
func (d *duel) begin(b *testing.B) (end func() cost) {
	b.Helper()
	server := cpuOf(b, d.server)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, began := processCPU(b), time.Now()
	return func() cost {
		took := time.Since(began)
		cpu = processCPU(b) - cpu
		runtime.ReadMemStats(&after)
		server = cpuOf(b, d.server) - server
		n := float64(d.operations)
		return cost{float64(took) / n, float64(cpu) / n, server / n, float64(after.Mallocs-before.Mallocs) / n}
	}
}

// rounds are those of one client.
type rounds []cost

func (r rounds) report(b *testing.B, whose string) {
	b.ReportMetric(1e9/r.took(), whose+"ops/s")
	b.ReportMetric(r.mean(func(c cost) float64 { return c.cpu }), whose+"cpu-ns")
	b.ReportMetric(r.mean(func(c cost) float64 { return c.server }), whose+"server-ns")
	b.ReportMetric(r.mean(func(c cost) float64 { return c.allocs }), whose+"allocs")
}

func (r rounds) took() float64 { return r.mean(func(c cost) float64 { return c.took }) }

// mean is that of all operations: rounds have the same number of them.
func (r rounds) mean(of func(cost) float64) (sum float64) {
	for _, c := range r {
		sum += of(c) / float64(len(r))
	}
	return sum
}

// cpuOf is the processor time that all threads of a process have used, in
// nanoseconds.
func cpuOf(b *testing.B, pid int) float64 {
	b.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(threads) == 0 {
		b.Fatalf("the threads of process %d: %v", pid, err)
	}
	var sum float64
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		used, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseFloat(used, 64)
		if err != nil {
			b.Fatalf("%s: %v", path, err)
		}
		sum += ns
	}
	return sum
}

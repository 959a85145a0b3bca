package overload

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A flood is requests from many connections at a rate, whatever the answers are.
type flood struct {
	total, perSecond int // perSecond 0: as fast as they are answered
	connections      int
	send             func(c *client) (answer, error)
}

// A tally is how often each status was answered; 0 is no answer.
type tally struct {
	mu     sync.Mutex
	counts map[int]int // guarded by mu
	took   time.Duration
}

func (f flood) run(t *testing.T, s *site) *tally {
	t.Helper()
	all := &tally{counts: map[int]int{}}
	var next atomic.Int64
	var sending sync.WaitGroup
	began := time.Now()
	for range f.connections {
		sending.Go(func() {
			c, err := dial(s.addr)
			if err != nil {
				all.count(0)
				return
			}
			defer c.conn.Close()
			for i := int(next.Add(1)); i <= f.total; i = int(next.Add(1)) {
				if f.perSecond > 0 {
					time.Sleep(time.Until(began.Add(f.due(i))))
				}
				if f.perSecond > 0 && time.Since(began) > f.due(f.total) {
					return // the app server, or this machine, is slower than that
				}
				got, err := f.send(c)
				if all.count(got.status); err != nil {
					return
				}
			}
		})
	}
	sending.Wait()
	all.took = time.Since(began)
	return all
}

// due is when request i is to be sent.
func (f flood) due(i int) time.Duration {
	return time.Duration(i) * time.Second / time.Duration(f.perSecond)
}

func (a *tally) count(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts[status]++
}

// only fails the test if there was another answer than status.
func (a *tally) only(t *testing.T, status int) {
	t.Helper()
	for got, n := range a.counts {
		if got != status {
			t.Errorf("%d requests are answered %d, want %d", n, got, status)
		}
	}
}

func (a *tally) String() string {
	var parts []string
	total := 0
	for _, status := range slices.Sorted(maps.Keys(a.counts)) {
		parts = append(parts, fmt.Sprintf("%d: %d", status, a.counts[status]))
		total += a.counts[status]
	}
	return fmt.Sprintf("%.0f a second; %s", float64(total)/a.took.Seconds(), strings.Join(parts, ", "))
}

package integration

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// latencies are how long requests took, from their sending to their whole answer.
type latencies struct {
	mu  sync.Mutex // guards all
	all []time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, d)
}

// String is for the log: "p50 3ms, p99 20ms, max 1.2s".
func (l *latencies) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return "no request"
	}
	slices.Sort(l.all)
	at := func(share float64) time.Duration {
		return l.all[int(share*float64(len(l.all)-1))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v, p99 %v, max %v", at(0.5), at(0.99), at(1))
}

// A recovery waits for the first request that began after a fault, needed its
// session and was accepted.
type recovery struct {
	fault time.Duration // when
	once  sync.Once
	after chan time.Duration // gets how long after the fault it was answered
}

func newRecovery(fault time.Duration) *recovery {
	return &recovery{fault: fault, after: make(chan time.Duration, 1)}
}

// accepted notes an accepted request. A nil recovery waits for none.
func (r *recovery) accepted(span history.Span) {
	if r != nil && span.Start >= r.fault {
		r.once.Do(func() { r.after <- span.End - r.fault })
	}
}

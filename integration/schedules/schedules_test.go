package schedules

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

var (
	count  = flag.Int("schedules", 200, "how many schedules are played: 10000 in CI, 1000000 takes hours")
	first  = flag.Uint64("first", 1, "seed of the first schedule; the others follow")
	steps  = flag.Int("steps", 50, "of each schedule")
	only   = flag.String("mode", "", "play this mode only")
	replay = flag.String("replay", "", "play one schedule: a file, or its text")
	times  = flag.Int("times", 1, "how often each schedule is played, to see whether it always goes the same way")
)

// enough is how often each event must happen in 10,000 schedules, or the run has
// proved too little.
const enough = 100

// A run is many schedules, and what came of them.
type run struct {
	t     *testing.T
	next  atomic.Int64
	modes []string

	mu         sync.Mutex // guards all below
	counts     Counts
	operations int
	unknown    int
	messages   uint64            // a digest of all messages of all schedules
	byMode     map[string][2]int // operations, unknown
	failed     int
	exact      exactness
}

func TestSchedule(t *testing.T) {
	if *replay != "" {
		playAgain(t)
		return
	}
	r := &run{t: t, modes: Modes(), byMode: map[string][2]int{}}
	if *only != "" {
		r.modes = []string{*only}
	}
	if seeded {
		r.work(t)
	} else {
		t.Run("workers", r.workers)
	}
	r.report()
}

// workers play on all processors.
func (r *run) workers(t *testing.T) {
	for range runtime.GOMAXPROCS(0) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			r.work(t)
		})
	}
}

// work plays schedules until all are played, or some have failed.
func (r *run) work(t *testing.T) {
	for {
		i := int(r.next.Add(1)) - 1
		if i >= *count || r.hasFailed() {
			return
		}
		s := Generate(*first+uint64(i), r.modes[i%len(r.modes)], *steps)
		result := r.playOften(t, s)
		r.note(s, &result)
		if result.Err != nil {
			t.Error(failure(t, s, result.Err, sane))
		}
	}
}

// playOften plays s as often as was asked for, and returns the first result.
func (r *run) playOften(t *testing.T, s *Schedule) Result {
	first := playInBubble(t, s, false, sane)
	for range *times - 1 {
		again := playInBubble(t, s, false, sane)
		r.mu.Lock()
		r.exact.add(&first, &again)
		r.mu.Unlock()
	}
	return first
}

// exactness says how often a schedule that was played again went as the first time.
type exactness struct{ plays, told, sent int }

func (e *exactness) add(first, again *Result) {
	e.plays++
	if first.Digest == again.Digest {
		e.told++
	}
	if first.Messages == again.Messages {
		e.sent++
	}
}

func (e *exactness) String() string {
	return fmt.Sprintf("of %d plays again %.1f %% told the clients the same, in %.1f %% every message was the same at the same nanosecond",
		e.plays, percent(e.told, e.plays), percent(e.sent, e.plays))
}

func (r *run) hasFailed() bool {
	const most = 3
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed >= most
}

func playInBubble(t *testing.T, s *Schedule, tell bool, m mood) (r Result) {
	seed(t, s.Seed)
	synctest.Test(t, func(*testing.T) { r = play(s, tell, m) })
	return r
}

func (r *run) note(s *Schedule, result *Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Add(&result.Counts)
	r.operations += result.Operations
	r.unknown += result.Unknown
	r.messages ^= result.Messages
	m := r.byMode[s.Mode]
	r.byMode[s.Mode] = [2]int{m[0] + result.Operations, m[1] + result.Unknown}
	if result.Err != nil {
		r.failed++
	}
}

// report prints the table, and fails a run that has met too little.
func (r *run) report() {
	r.t.Logf("%d schedules of %d steps, %d operations, %.1f %% of them unknown\n%s", *count, *steps, r.operations, percent(r.unknown, r.operations), r.counts.Table())
	for _, name := range r.modes {
		r.t.Logf("%-12s %d operations, %.1f %% unknown", name, r.byMode[name][0], percent(r.byMode[name][1], r.byMode[name][0]))
	}
	if seeded {
		r.t.Logf("digest of all messages: %x; it is the same in each run of these schedules", r.messages)
	}
	if *times > 1 {
		r.t.Log(r.exact.String())
		if seeded && r.exact.sent < r.exact.plays {
			r.t.Error("a schedule did not go the same way again; if this is a newer Go, see what exactly said of it")
		}
	}
	if r.t.Failed() || *only != "" {
		return
	}
	if share := percent(r.unknown, r.operations); share > 5 {
		r.t.Errorf("%.1f %% of the operations are unknown, 5 %% are allowed", share)
	}
	for e, n := range r.counts {
		if want := uint64(enough * *count / 10000); n < want {
			r.t.Errorf("%v happened %d times in %d schedules, want %d: this proves too little", Event(e), n, *count, want)
		}
	}
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

// failure shrinks a failing schedule, and tells how to play it again.
func failure(t *testing.T, s *Schedule, err error, m mood) string {
	const plays = 150
	tries := 2
	if seeded {
		tries = 1 // it always goes the same way
	}
	var last Result
	small := shrink(s, plays, func(s *Schedule) bool {
		for range tries {
			if r := playInBubble(t, s, true, m); r.Err != nil {
				last = r
				return true
			}
		}
		return false
	})
	if last.Err == nil {
		return fmt.Sprintf("%v\nin a schedule that did not fail again:\n%s", err, s)
	}
	return fmt.Sprintf("%v\nshrunk from %d to %d steps; play it again with -replay and this text:\n%s\n%s", last.Err, len(s.Steps), len(small.Steps), small, last.Story)
}

// playAgain plays one schedule from its text, and tells its story.
func playAgain(t *testing.T) {
	text := *replay
	if b, err := os.ReadFile(text); err == nil {
		text = string(b)
	}
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var first Result
	var exact exactness
	for i := range *times {
		r := playInBubble(t, s, i == 0, sane)
		if i == 0 {
			first = r
			t.Log(r.Story)
		}
		exact.add(&first, &r)
		if r.Err != nil {
			t.Errorf("time %d: %v", i+1, r.Err)
		}
	}
	t.Log(exact.String())
}

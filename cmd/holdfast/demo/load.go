package demo

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/ledger"
)

// A load is simulated users, each with a session that it adds to and reads in two tabs. It can be
// started and stopped; its ledger begins anew with each start.
type load struct {
	base string // URL of the balancer

	mu      sync.Mutex
	ledger  *ledger.Ledger     // guarded by mu
	end     context.CancelFunc // nil: it does not run; guarded by mu
	tabs    sync.WaitGroup
	answers atomic.Uint64 // to requests
	refused atomic.Uint64 // of them: no answer, or one that says that nothing was done
}

const (
	userCount = 24
	meanRest  = 200 * time.Millisecond // of a tab between two requests
	loadPath  = "/load"
)

func newLoad(base string) *load { return &load{base: base + loadPath, ledger: ledger.New(userCount)} }

// start has no effect if the load runs.
func (l *load) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.end, l.ledger = cancel, ledger.New(userCount)
	l.answers.Store(0)
	l.refused.Store(0)
	for i := range userCount {
		for _, begins := range []bool{true, false} {
			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
			t := &tab{load: l, ledger: l.ledger, user: i, begins: begins, http: client}
			l.tabs.Go(func() { t.live(ctx) })
		}
	}
}

// stop returns after the last request.
func (l *load) stop() {
	l.mu.Lock()
	end := l.end
	l.end = nil
	l.mu.Unlock()
	if end != nil {
		end()
	}
	l.tabs.Wait()
}

// forgive has users expect nothing that was acknowledged since then.
func (l *load) forgive(since time.Time) { l.book().Forgive(since) }

func (l *load) book() *ledger.Ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ledger
}

func (l *load) isOn() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end != nil
}

// loadFigures are what the page shows of a load.
type loadFigures struct {
	On          bool   `json:"on"`
	Users       int    `json:"users"`
	Requests    uint64 `json:"requests"`
	Refused     uint64 `json:"refused"`
	Lost        int    `json:"lost_sessions"`
	LostUpdates int64  `json:"lost_updates"`
	Doubled     int64  `json:"doubled"`
	UnsentLost  int64  `json:"unsent_lost"`
}

func (l *load) figures() loadFigures {
	f := loadFigures{On: l.isOn(), Users: userCount, Requests: l.answers.Load(), Refused: l.refused.Load()}
	for _, s := range l.book().Sessions() {
		found := s.Found()
		if found.Lost {
			f.Lost++
		}
		f.LostUpdates += found.LostUpdates
		f.Doubled += found.Doubled
		f.UnsentLost += found.UnsentLost
	}
	return f
}

// A tab is one of two that a user has open, so that requests of a session meet. It sets
// nothing: a server that hung may do later what nobody waited for any more, and of two
// sets the later one wins.
type tab struct {
	load   *load
	ledger *ledger.Ledger
	user   int
	begins bool // the user's sessions
	http   *http.Client
}

func (t *tab) live(ctx context.Context) {
	defer t.http.CloseIdleConnections()
	for rest(ctx, rand.N(2*meanRest)) {
		s := t.ledger.Current(t.user)
		switch {
		case s == nil || s.IsOver():
			t.begin()
		case rand.IntN(2) == 0:
			t.do(s, http.MethodPost, "/add/at-once", 1)
		default:
			t.do(s, http.MethodGet, "/read", 0)
		}
	}
}

// rest reports whether to go on.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *tab) begin() {
	if !t.begins {
		return
	}
	began := time.Now()
	if r := t.ask(http.MethodPost, "/begin", ""); r.Outcome == ledger.Done && r.Cookie != "" {
		t.ledger.Open(t.user, r.Cookie, began)
	}
}

func (t *tab) do(s *ledger.Session, method, path string, adds int64) {
	p := s.Present(adds, 0)
	s.Learn(p, t.ask(method, path, p.Cookie), adds, 0)
}

// ask sends a request. One that was not answered may have been carried out.
func (t *tab) ask(method, path, cookie string) ledger.Reply {
	r, err := ledger.Ask(t.http, method, t.load.base+path, cookie)
	if err != nil {
		r = ledger.Reply{Answer: ledger.Answer{Outcome: ledger.Unknown}}
	}
	t.load.answers.Add(1)
	if r.Outcome == ledger.Refused || r.Outcome == ledger.Unknown {
		t.load.refused.Add(1)
	}
	return r
}

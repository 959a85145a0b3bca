package integration

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// load is what the clients do, and what they saw of it.
type load struct {
	t     *testing.T
	url   string
	began time.Time
	seen  *history.History
	users []*user

	inFlight, done             atomic.Int64
	accepted, refused, unknown atomic.Int64
	changes                    atomic.Int64 // accepted
	writes                     atomic.Int64 // numbers the values that are written
	latencies                  latencies
	recovery                   atomic.Pointer[recovery] // of the latest fault
}

// user is one session, used by many clients at once.
type user struct {
	*browser
	number     int
	id         string       // the session's fingerprint
	increments atomic.Int64 // accepted
	hits       atomic.Int64 // when it was last read
}

// newLoad creates the sessions.
func newLoad(t *testing.T, url string) *load {
	t.Helper()
	l := &load{t: t, url: url, began: time.Now(), seen: history.New()}
	client := newClient(clients)
	for i := range sessions {
		u := &user{browser: &browser{client: client}, number: i}
		u.id = u.post(url+"/session", "user", fmt.Sprint(i)).view(t).ID
		l.users = append(l.users, u)
	}
	return l
}

// start lets the clients loose. They go on until stop is called, which waits
// for them.
func (l *load) start() (stop func()) {
	var running sync.WaitGroup
	var stopping atomic.Bool
	for i := range clients {
		running.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 0))
			for !stopping.Load() {
				l.request(rng)
			}
		})
	}
	stop = sync.OnceFunc(func() {
		stopping.Store(true)
		running.Wait()
	})
	l.t.Cleanup(stop)
	return stop
}

func (l *load) waitForRequests(n int) {
	l.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for l.done.Load() < int64(n) {
		if time.Now().After(deadline) {
			l.t.Fatalf("only %d of %d requests within two minutes", l.done.Load(), n)
		}
		time.Sleep(time.Millisecond)
	}
}

// awaitInFlight waits for a moment at which at least n requests are under way, and
// returns how many are then.
func (l *load) awaitInFlight(n int64) int64 {
	for end := time.Now().Add(5 * time.Second); l.inFlight.Load() < n && time.Now().Before(end); {
		runtime.Gosched() // such a moment may be short
	}
	return l.inFlight.Load()
}

// request does one random thing with one random session. A fifth of all goes
// to ten sessions, so that requests of one session meet on both servers.
func (l *load) request(rng *rand.Rand) {
	u := l.users[rng.IntN(len(l.users))]
	if rng.IntN(5) == 0 {
		u = l.users[rng.IntN(10)]
	}
	switch n := rng.IntN(100); {
	case n < 30:
		l.increment(u)
	case n < 40:
		l.readCounter(u)
	case n < 65:
		l.set(u, []string{"color", "size"}[rng.IntN(2)])
	case n < 75:
		l.set(u, "left", "right")
	case n < 97:
		l.read(u)
	default:
		l.do(u, http.MethodGet, "/none", "")
	}
}

// do sends one request, counts it, and says when it ran and what is known of
// its outcome.
func (l *load) do(u *user, method, path, body string) (answer, history.Span, history.Outcome) {
	l.inFlight.Add(1)
	start := time.Since(l.began)
	got := u.do(method, l.url+path, body)
	span := history.Span{Start: start, End: time.Since(l.began)}
	l.inFlight.Add(-1)
	l.done.Add(1)
	l.latencies.add(span.End - span.Start)
	if got.removes() {
		l.seen.Lost("session %d: %s %s took its cookie away (status %d)", u.number, method, path, got.status)
	}
	switch {
	case got.unknown():
		l.unknown.Add(1)
		return got, span, history.Unknown
	case got.status == http.StatusOK:
		l.accepted.Add(1)
		if path != "/none" { // which needs no node
			l.recovery.Load().accepted(span)
		}
		return got, span, history.Accepted
	case got.status == http.StatusConflict:
		l.refused.Add(1)
	default:
		l.seen.Lost("session %d: %s %s answered %d %q", u.number, method, path, got.status, got.body)
	}
	return got, span, history.Refused
}

// set writes one new value to the attributes, all in one request.
func (l *load) set(u *user, names ...string) {
	value := fmt.Sprintf("w%d", l.writes.Add(1))
	var fields []string
	for _, name := range names {
		fields = append(fields, name, value)
	}
	got, span, outcome := l.do(u, http.MethodPost, "/session", form(fields...))
	for _, name := range names {
		l.seen.Write(u.object(name), value, span, outcome)
	}
	if outcome != history.Accepted {
		return
	}
	l.changes.Add(1)
	v := l.decode(u, got)
	for _, name := range names {
		if v.Attributes[name] != value {
			l.seen.Lost("session %d: set %s to %s and was answered %v", u.number, name, value, v.Attributes[name])
		}
	}
}

func (l *load) read(u *user) {
	got, span, outcome := l.do(u, http.MethodGet, "/session", "")
	if outcome != history.Accepted {
		return
	}
	v := l.decode(u, got)
	for _, name := range []string{"color", "size", "left", "right"} {
		value, _ := v.Attributes[name].(string)
		l.seen.Read(u.object(name), value, span)
	}
	if v.Attributes["left"] != v.Attributes["right"] {
		l.seen.Lost("session %d: left is %v and right %v, always set together", u.number, v.Attributes["left"], v.Attributes["right"])
	}
	hits, _ := v.Attributes["hits"].(float64)
	l.seen.Count(u.object("hits"), int64(hits), span)
	u.hits.Store(int64(hits))
}

func (l *load) increment(u *user) {
	got, span, outcome := l.do(u, http.MethodPost, "/counter/hits", "")
	l.seen.Increment(u.object("hits"), l.counted(u, got, outcome), span, outcome)
	if outcome == history.Accepted {
		l.changes.Add(1)
		u.increments.Add(1)
	}
}

func (l *load) readCounter(u *user) {
	got, span, outcome := l.do(u, http.MethodGet, "/counter/hits", "")
	if outcome == history.Accepted {
		l.seen.Count(u.object("hits"), l.counted(u, got, outcome), span)
	}
}

func (l *load) counted(u *user, got answer, outcome history.Outcome) int64 {
	var counter struct{ Value int64 }
	if outcome == history.Accepted && json.Unmarshal([]byte(got.body), &counter) != nil {
		l.seen.Lost("session %d: the counter answered %q", u.number, got.body)
	}
	return counter.Value
}

// decode reads a session from an answer, and checks that it is the user's.
func (l *load) decode(u *user, got answer) view {
	var v view
	if err := json.Unmarshal([]byte(got.body), &v); err != nil {
		l.seen.Lost("session %d: answered %q", u.number, got.body)
	}
	if v.ID != u.id || v.New || v.Attributes["user"] != fmt.Sprint(u.number) {
		l.seen.Lost("session %d: answered %+v, want the one of user %d with the id %s", u.number, v, u.number, u.id)
	}
	return v
}

func (u *user) object(attribute string) string {
	return fmt.Sprintf("%s of session %d", attribute, u.number)
}

// readAll reads every session when all is quiet. Each must answer.
func (l *load) readAll() {
	l.t.Helper()
	unanswered := slices.DeleteFunc(slices.Clone(l.users), func(u *user) bool {
		before := l.accepted.Load()
		l.read(u)
		return l.accepted.Load() == before+1
	})
	for _, u := range unanswered {
		l.t.Errorf("session %d: no answer at the end", u.number)
	}
}

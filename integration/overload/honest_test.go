package overload

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// Honest users change and read a counter in their session, each request a while after
// the one before, and look at every answer.
type honest struct {
	users []*user
	pause time.Duration
}

type user struct {
	*client
	count  int
	unsure bool // whether the last change was made
}

const honestUsers = 20

func startHonest(t *testing.T, s *site) *honest {
	t.Helper()
	h := &honest{pause: 5 * time.Millisecond}
	if *full {
		h.pause = 100 * time.Millisecond // 200 requests a second
	}
	for range honestUsers {
		c, err := dial(s.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.conn.Close() })
		h.users = append(h.users, &user{client: c})
	}
	h.during(func() { time.Sleep(20 * h.pause) }) // their sessions, and all connections, are there now
	return h
}

// Figures are what honest users met in some time.
type figures struct {
	mu        sync.Mutex      // guards the fields below
	latencies []time.Duration // of those answered as they should be
	wrong     []string        // all other answers
}

// during has the users at work while do runs.
func (h *honest) during(do func()) *figures {
	f, stop := &figures{}, make(chan struct{})
	var working sync.WaitGroup
	for i, u := range h.users {
		working.Go(func() {
			time.Sleep(h.pause * time.Duration(i) / honestUsers)
			for {
				f.note(u.visit())
				select {
				case <-stop:
					return
				case <-time.After(h.pause):
				}
			}
		})
	}
	do()
	close(stop)
	working.Wait()
	return f
}

// visit changes the counter, then reads it. It returns the time that each took.
func (u *user) visit() (took []time.Duration, wrong string) {
	u.count++
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		began := time.Now()
		got, err := u.do(method, "/counter/n", "")
		took = append(took, time.Since(began))
		if u.unsure && err == nil && got.status == http.StatusOK { // one wrong answer is to count once
			_, _ = fmt.Sscanf(got.body, `{"value":%d}`, &u.count)
			u.unsure = false
		}
		if want := fmt.Sprintf("{\"value\":%d}\n", u.count); err != nil || got.status != http.StatusOK || got.body != want {
			u.unsure = true
			return took[:len(took)-1], fmt.Sprintf("%s is answered %d, %q, %v; want %q", method, got.status, got.body, err, want)
		}
	}
	return took, ""
}

func (f *figures) note(took []time.Duration, wrong string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latencies = append(f.latencies, took...)
	if wrong != "" {
		f.wrong = append(f.wrong, wrong)
	}
}

func (f *figures) percentile(p float64) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.latencies) == 0 {
		return 0
	}
	slices.Sort(f.latencies)
	return f.latencies[int(p*float64(len(f.latencies)-1))]
}

package sticky_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// inModesWith plays it on one server over two nodes.
func inModesWith(t *testing.T, o sticky.Options, play func(t *testing.T, f *farm)) {
	t.Helper()
	for _, o.Async = range []bool{false, true} {
		t.Run(fmt.Sprintf("async %v", o.Async), func(t *testing.T) { inFarm(t, 1, 2, o, play) })
	}
}

func (s *server) within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

// refuse has all nodes answer writes with err.
func (f *farm) refuse(err error) {
	for _, n := range f.nodes {
		n.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			if err != nil && call.Verb == "put" {
				return err
			}
			return next()
		})
	}
}

func (f *farm) cut(name string) {
	for _, n := range f.nodes {
		n.Cut(name)
	}
}

func (f *farm) mend(name string) {
	for _, n := range f.nodes {
		n.Mend(name)
	}
}

func TestWhileNoNodeAnswersRequestsGoOn(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inModes(t, 2, nodes, func(t *testing.T, f *farm, _ bool) {
			a, b := f.servers[0], f.servers[1]
			a.begin(id)
			a.flush()
			f.cut("app1")
			time.Sleep(2 * time.Second) // until that is noticed
			for range 3 {
				a.mustAdd(id, "app1")
			}
			a.wantTotal(id, "app1", 3)
			if got := a.Stats().Unsent; got != 1 {
				t.Errorf("%d sessions are unsent, want 1", got)
			}
			f.mend("app1")
			time.Sleep(10 * time.Second)
			if got := a.Stats(); got.Unsent != 0 || got.Dropped != 0 {
				t.Errorf("later %d sessions are unsent and %d changes dropped, want none", got.Unsent, got.Dropped)
			}
			b.wantTotal(id, "app1", 3)
		})
	}
}

func TestWithRefuseAwayChangesAreRefusedWhileNoNodeAnswers(t *testing.T) {
	inFarm(t, 1, 2, sticky.Options{RefuseAway: true}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		f.cut("app1")
		time.Sleep(2 * time.Second)
		if err := a.add(id, "app1"); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("Commit: %v, want unavailable", err)
		}
		f.mend("app1")
		time.Sleep(10 * time.Second)
		a.wantTotal(id, "app1", 0)
	})
}

// A server that hung itself had no answers, too: others have its sessions by now.
func TestNothingIsKeptHereAloneWhileANodeAnswers(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inFarm(t, 1, nodes, sticky.Options{}, func(t *testing.T, f *farm) {
			a := f.servers[0]
			a.begin(id)
			f.refuse(store.ErrUnavailable)
			for range 3 {
				if err := a.add(id, "app1"); !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("Commit: %v, want unavailable", err)
				}
			}
			if got := a.Stats(); got.Unsent != 0 || got.Away {
				t.Errorf("%d sessions are unsent, away %v", got.Unsent, got.Away)
			}
			f.refuse(nil)
			time.Sleep(3 * time.Second)
			a.mustAdd(id, "app1")
			a.wantTotal(id, "app1", 1)
		})
	}
}

// Nobody uses the sessions, and no connection is lost.
func TestAFlushedNodeGetsAllSessionsAgainAtABoundedRate(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inModes(t, 1, nodes, func(t *testing.T, f *farm, _ bool) {
			const sessions = 400
			a := f.servers[0]
			for i := range sessions {
				a.begin(fmt.Sprintf("EXAMPLEEXAMPLEEXAMPLE2%04d", i))
			}
			a.flush()
			time.Sleep(2 * time.Second)
			f.nodes[0].Empty()
			began, keys := time.Now(), 0
			for ; keys < sessions && time.Since(began) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
				keys = f.sessionsOn(0)
			}
			if took := time.Since(began); keys < sessions || took < sessions*400*time.Microsecond {
				t.Errorf("%d of %d sessions are on the node again after %v", keys, sessions, took)
			}
		})
	}
}

func (f *farm) sessionsOn(node int) (n int) {
	for _, key := range f.nodes[node].Keys() {
		if len(key) == 43 {
			n++
		}
	}
	return n
}

func TestFlushTellsWhatIsLeft(t *testing.T) {
	inFarm(t, 1, 2, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.beginMany(3)
		f.cut("app1")
		a.addToMany(3)
		var told []int
		ctx, cancel := a.within(3500 * time.Millisecond)
		defer cancel()
		err := a.Flush(ctx, func(left int) { told = append(told, left) })
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(fmt.Sprint(err), "3 sessions") {
			t.Errorf("Flush: %v, want that 3 sessions are left when time was over", err)
		}
		if fmt.Sprint(told) != "[3 3 3]" {
			t.Errorf("Flush told %v in three seconds, want 3 each second", told)
		}
		f.mend("app1")
		a.flush()
		if got := f.sessionsOn(0) + f.sessionsOn(1); got < 3 {
			t.Errorf("%d copies of 3 sessions are on the nodes", got)
		}
	})
}

func nameOf(i int) string { return fmt.Sprintf("EXAMPLEEXAMPLEEXAMPLE2%04d", i) }

func (s *server) beginMany(n int) {
	s.t.Helper()
	for i := range n {
		s.begin(nameOf(i))
	}
}

func (s *server) addToMany(n int) {
	s.t.Helper()
	for i := range n {
		s.mustAdd(nameOf(i), s.name)
	}
}

// A goroutine that is left behind would fail the bubble.
func TestCloseEndsAllThatRunsBehind(t *testing.T) {
	inFarm(t, 1, 2, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.beginMany(300)
		for _, n := range f.nodes {
			n.Freeze()
		}
		a.addToMany(300)
		synctest.Wait()
		began := time.Now()
		if err := a.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if took := time.Since(began); took > timeout {
			t.Errorf("Close took %v", took)
		}
	})
}

func TestABalancerThatIsNotStickyIsToldOfOnce(t *testing.T) {
	var log bytes.Buffer
	o := sticky.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	inFarm(t, 2, 2, o, func(t *testing.T, f *farm) {
		f.servers[0].begin(id)
		for i := range 100 {
			f.servers[(i+1)%2].mustAdd(id, fmt.Sprint("app", i%2+1))
		}
		if got := f.servers[0].Stats().Flips + f.servers[1].Stats().Flips; got != 99 {
			t.Errorf("%d flips were counted, want 99", got)
		}
	})
	if got := strings.Count(log.String(), "not sticky"); got != 2 { // once by each server
		t.Errorf("the log tells %d times of the balancer, want 2:\n%s", got, log.String())
	}
}

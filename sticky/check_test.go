package sticky_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// Nobody uses the session; another one is in use; a node is away.
func TestLookingAfterNodesIsNoUse(t *testing.T) {
	for _, how := range []string{"a node is away", "a node was emptied", "all were emptied"} {
		t.Run(how, func(t *testing.T) {
			inFarm(t, 1, 2, sticky.Options{}, func(t *testing.T, f *farm) {
				a := f.servers[0]
				a.begin(id)
				time.Sleep(25 * time.Minute)
				switch how {
				case "a node is away":
					f.nodes[0].Kill()
					time.Sleep(time.Minute)
					a.begin(newID)
					time.Sleep(time.Minute)
					a.mustAdd(newID, "app1")
				case "a node was emptied":
					f.nodes[0].Empty()
				default:
					f.empty()
				}
				time.Sleep(10 * time.Minute)
				if v, err := a.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("unused for 35 minutes, with an idle timeout of 30: %v, want not found; last use %v ago", err, time.Since(v.LastAccessed))
				}
			})
		})
	}
}

// A check that finds no place is made with the next use.
func TestACheckThatFoundNoPlaceComesWithTheNextUse(t *testing.T) {
	inFarm(t, 1, 1, sticky.Options{}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		many := make([]string, 300)
		for i := range many {
			many[i] = fmt.Sprintf("OTHEROTHEROTHEROTHER23%04d", i)
			a.begin(many[i])
		}
		time.Sleep(11 * time.Second)
		var slowed atomic.Bool
		slowed.Store(true)
		f.nodes[0].Intercept(func(ctx context.Context, c faultstore.Call, next func() error) error {
			if slowed.Load() && ofSession(c) {
				time.Sleep(100 * time.Millisecond)
			}
			return next()
		})
		for _, other := range many {
			a.mustLoad(other, "app1")
		}
		a.mustLoad(id, "app1")
		slowed.Store(false)
		time.Sleep(time.Second)
		f.nodes[0].Intercept(nil)
		if got := f.calls(func() { a.mustLoad(id, "app1"); synctest.Wait() }); got == 0 {
			t.Error("it was not compared with the nodes with its next use")
		}
	})
}

// A session that is changed all the time can be ended, and read by others.
func TestASessionInSteadyUseCanBeEnded(t *testing.T) {
	inFarm(t, 1, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		slow(f.nodes[0], 50*time.Millisecond, never)
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
					if v := a.Remembered(id); v != nil {
						_, _ = a.Keep(v, oneMore())
					}
				}
			}
		}()
		time.Sleep(300 * time.Millisecond)
		began := time.Now()
		_, err := a.load(id, "")
		if err != nil {
			t.Errorf("a read from the nodes: %v after %v", err, time.Since(began))
		}
		began = time.Now()
		ctx, cancel := a.within(timeout)
		defer cancel()
		if err := a.Destroy(ctx, &store.View{Key: a.cluster.Key(id), Record: &record.Record{}}); err != nil {
			t.Errorf("Destroy: %v after %v", err, time.Since(began))
		}
		close(stop)
		<-done
	})
}

// The item that is looked after expires by itself.
func TestNothingSeemsLostAfterADay(t *testing.T) {
	var log bytes.Buffer
	inFarm(t, 1, 1, sticky.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(t *testing.T, f *farm) {
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		if log.Len() > 0 {
			t.Errorf("it was logged: %s", &log)
		}
	})
}

// The session is used in memory just while the nodes do not answer for it: they learn of
// that later, before they take its time for over.
func TestAUseWhileItsNodesDidNotAnswerExtendsTheLife(t *testing.T) {
	inFarm(t, 2, 2, sticky.Options{}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.beginFor(time.Minute)
		var cut atomic.Bool
		for _, n := range f.nodes {
			n.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
				if cut.Load() && call.Client == a.name && call.Key == a.cluster.Key(id) {
					return store.ErrUnavailable
				}
				return next()
			})
		}
		time.Sleep(30 * time.Second)
		cut.Store(true)
		a.mustLoad(id, a.name)
		time.Sleep(3 * time.Second)
		cut.Store(false)
		time.Sleep(45 * time.Second)
		b.mustLoad(id, "")
	})
}

// The session is used while another request holds its turn for longer than a check waits,
// and then stores nothing: no node was away, so nobody else looks at it again.
func TestAUseWhoseCheckDidNotGetItsTurnExtendsTheLife(t *testing.T) {
	inFarm(t, 2, 2, sticky.Options{}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		v := a.beginFor(time.Minute)
		time.Sleep(30 * time.Second)
		refused := errors.New("refused after a while")
		slow := &store.Change{Commit: 1, Sync: true, Apply: func(*record.Record) error {
			time.Sleep(5 * time.Second)
			return refused
		}}
		done := make(chan error)
		go func() {
			_, err := a.Commit(context.Background(), id, v, slow)
			done <- err
		}()
		synctest.Wait()
		a.mustLoad(id, a.name)
		if err := <-done; !errors.Is(err, refused) {
			t.Fatalf("the slow change: %v", err)
		}
		time.Sleep(45 * time.Second)
		b.mustLoad(id, "")
	})
}

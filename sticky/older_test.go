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

// The server that had it before brings back its old copy, and the one that has it
// takes that over its own.
func TestAnOlderCopyDoesNotReplaceWhatItsServerHas(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inModes(t, 2, nodes, func(t *testing.T, f *farm, _ bool) {
			a, b := f.servers[0], f.servers[1]
			b.begin(id)
			b.mustAdd(id, "app2")
			b.flush()
			a.mustLoad(id, "app2") // moves to a, for good
			for range 5 {
				a.mustAdd(id, "app1")
			}
			a.flush()
			time.Sleep(20 * time.Second) // a is idle for a moment
			f.cut("app1")                // its resending comes later than b's
			f.empty()
			time.Sleep(10 * time.Second)
			f.mend("app1")
			time.Sleep(10 * time.Second)
			a.wantTotal(id, "app1", 6)
		})
	}
}

// The same without a cut: the order of the rounds decides.
func TestAnOlderCopyThatIsFirstDoesNotReplaceTheNewer(t *testing.T) {
	lost := 0
	for i := range 10 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			inFarm(t, 2, 1, sticky.Options{}, func(t *testing.T, f *farm) {
				a, b := f.servers[0], f.servers[1]
				sid := fmt.Sprintf("EXAMPLEEXAMPLEEXAMPLE2345%d", i)
				b.begin(sid)
				a.mustLoad(sid, "app2")
				for range 5 {
					a.mustAdd(sid, "app1")
				}
				time.Sleep(20 * time.Second)
				for j := range 200 {
					a.begin(fmt.Sprintf("OTHEROTHEROTHEROTHEROTH%03d", j))
				}
				f.empty()
				time.Sleep(20 * time.Second)
				if got := total(a.mustLoad(sid, "app1").Record); got != 5 {
					lost++
				}
			})
		})
	}
	if lost > 0 {
		t.Errorf("%d of 10 sessions lost what was acknowledged", lost)
	}
}

// A logout, then the cache restarts: the former server stores its old copy again.
func TestALogoutIsNotUndoneByAnOlderCopy(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inModes(t, 3, nodes, func(t *testing.T, f *farm, _ bool) {
			a, b, c := f.servers[0], f.servers[1], f.servers[2]
			b.begin(id)
			b.flush()
			if err := a.Destroy(t.Context(), a.mustLoad(id, "app2")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Second)
			f.empty()
			time.Sleep(10 * time.Second)
			if _, err := c.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("after a logout: %v, want not found", err)
			}
		})
	}
}

// The idle timeout passes while no node answers.
func TestAnOutageDoesNotBringBackASessionWhoseTimeIsOver(t *testing.T) {
	for _, minutes := range []time.Duration{33, 40} {
		t.Run(fmt.Sprint(minutes), func(t *testing.T) {
			inFarm(t, 1, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
				a := f.servers[0]
				a.begin(id)
				f.cut("app1")
				time.Sleep(2 * time.Second)
				a.mustAdd(id, "app1") // last use
				time.Sleep(minutes * time.Minute)
				f.mend("app1")
				time.Sleep(10 * time.Second)
				if _, err := a.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("after %v minutes, with an idle timeout of 30: %v, want not found", minutes, err)
				}
			})
		})
	}
}

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

// A user's function that panics on a newer state.
func TestAPanicBehindARequest(t *testing.T) {
	inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		b.mustAdd(id, "app1")
		b.flush()
		v := a.mustLoad(id, "app1")
		ctx, cancel := a.within(timeout)
		defer cancel()
		_, err := a.Commit(ctx, id, v, change(func(r *record.Record) {
			if total(r) > 0 {
				panic("a user's code")
			}
			r.Set(record.Attribute{Name: "x", Value: []byte("1")})
		}))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	})
}

// Both members are out of this server's reach for longer than a minute, and come back
// with what they had.
func TestASessionThatWasStoredAgainOutranksItsOldCopies(t *testing.T) {
	for name, fault := range map[string]func(n *faultstore.Node) (end func()){
		"they hang":     func(n *faultstore.Node) func() { n.Freeze(); return n.Thaw },
		"it is cut off": func(n *faultstore.Node) func() { n.Cut("app1"); return func() { n.Mend("app1") } },
		"they stop, memory": func(n *faultstore.Node) func() {
			old := n.Snapshot()
			n.Kill()
			return func() { n.Revive(); n.Restore(old) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			inFarm(t, 1, 3, sticky.Options{}, func(t *testing.T, f *farm) {
				a := f.servers[0]
				v := a.begin(id)
				for range 5 {
					a.mustAdd(id, "app1")
				}
				var ends []func()
				for i, n := range f.nodes {
					for _, m := range v.Record.Members {
						if m == fmt.Sprint("n", i+1) {
							ends = append(ends, fault(n))
						}
					}
				}
				time.Sleep(3 * time.Minute)
				acknowledged := 5
				for range 3 {
					if a.add(id, "app1") == nil {
						acknowledged++
					}
					time.Sleep(time.Second)
				}
				t.Log("acknowledged:", acknowledged, "reads:", total(a.mustLoad(id, "app1").Record))
				for _, end := range ends {
					end()
				}
				time.Sleep(time.Minute)
				a.wantTotal(id, "app1", acknowledged)
				f.start("app9", stickyOptions()).wantTotal(id, "app1", acknowledged)
			})
		})
	}
}

package deadline_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/deadline"
)

// A way begins a Context; end makes it end.
type way struct {
	name  string
	begin func(c *deadline.Context) (end func())
	want  error
}

func second() time.Time { return time.Now().Add(time.Second) }
func hour() time.Time   { return time.Now().Add(time.Hour) }
func wait()             { time.Sleep(2 * time.Second) }

var ways = []way{
	{"its time comes", func(c *deadline.Context) func() {
		c.Begin(context.Background(), second())
		return wait
	}, context.DeadlineExceeded},
	{"End", func(c *deadline.Context) func() {
		c.Begin(context.Background(), second())
		return c.End
	}, context.Canceled},
	{"its parent is canceled", func(c *deadline.Context) func() {
		parent, cancel := context.WithCancel(context.Background())
		c.Begin(parent, second())
		return cancel
	}, context.Canceled},
	{"its parent's time comes", func(c *deadline.Context) func() {
		parent, cancel := context.WithTimeout(context.Background(), time.Second)
		c.Begin(parent, hour())
		return func() { wait(); cancel() }
	}, context.DeadlineExceeded},
	{"the outer one's time comes", func(c *deadline.Context) func() {
		outer := new(deadline.Context)
		outer.Begin(context.Background(), second())
		c.Begin(outer, hour())
		return wait
	}, context.DeadlineExceeded},
	{"the outer one's parent is canceled", func(c *deadline.Context) func() {
		parent, cancel := context.WithCancel(context.Background())
		outer := new(deadline.Context)
		outer.Begin(parent, second())
		c.Begin(outer, hour())
		return cancel
	}, context.Canceled},
	{"the outer one had ended", func(c *deadline.Context) func() {
		outer := new(deadline.Context)
		outer.Begin(context.Background(), second())
		outer.End()
		c.Begin(outer, second())
		return func() {}
	}, context.Canceled},
	{"detached, its time comes", func(c *deadline.Context) func() {
		parent, cancel := context.WithCancel(context.Background())
		c.BeginDetached(parent, second())
		return func() { cancel(); wait() }
	}, context.DeadlineExceeded},
	{"in a detached one, its time comes", func(c *deadline.Context) func() {
		parent, cancel := context.WithCancel(context.Background())
		outer := new(deadline.Context)
		outer.BeginDetached(parent, hour())
		c.Begin(outer, second())
		return func() { cancel(); wait() }
	}, context.DeadlineExceeded},
}

func checkEnded(t *testing.T, c *deadline.Context, want error) {
	t.Helper()
	select {
	case <-c.Done():
	default:
		t.Error("Done is open")
	}
	if err := c.Err(); err != want {
		t.Errorf("Err: %v, want %v", err, want)
	}
	if err := context.Cause(c); err != want {
		t.Errorf("Cause: %v, want %v", err, want)
	}
}

func TestAContextEnds(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var c deadline.Context
				w.begin(&c)()
				checkEnded(t, &c, w.want)
			})
		})
	}
}

func TestAContextEndsForWhoWaits(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var c deadline.Context
				end := w.begin(&c)
				woken := make(chan struct{})
				go func() {
					<-c.Done()
					close(woken)
				}()
				synctest.Wait()
				end()
				synctest.Wait()
				select {
				case <-woken:
				default:
					t.Fatal("who waits is not woken") // and the bubble ends with a deadlock
				}
				checkEnded(t, &c, w.want)
			})
		})
	}
}

func TestAContextThatGoesOnHasNotEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(context.Background())
		var detached, inner deadline.Context
		detached.BeginDetached(parent, time.Now().Add(time.Hour))
		inner.Begin(&detached, time.Now().Add(time.Minute))
		cancel()
		time.Sleep(59 * time.Second)
		for name, c := range map[string]*deadline.Context{"detached": &detached, "inner": &inner} {
			select {
			case <-c.Done():
				t.Errorf("%s: Done is closed", name)
			default:
			}
			if err := c.Err(); err != nil {
				t.Errorf("%s: Err: %v", name, err)
			}
			c.End()
		}
	})
}

type key struct{}

func TestAContextHasTheValuesAndTheEarliestTime(t *testing.T) {
	now := time.Now()
	parent, cancel := context.WithDeadline(context.WithValue(t.Context(), key{}, "value"), now.Add(time.Minute))
	defer cancel()
	var c, inner, detached deadline.Context
	c.Begin(parent, now.Add(time.Hour))
	inner.Begin(&c, now.Add(time.Hour))
	detached.BeginDetached(parent, now.Add(time.Hour))
	for name, tt := range map[string]struct {
		c    *deadline.Context
		want time.Time
	}{"c": {&c, now.Add(time.Minute)}, "inner": {&inner, now.Add(time.Minute)}, "detached": {&detached, now.Add(time.Hour)}} {
		if at, ok := tt.c.Deadline(); !ok || !at.Equal(tt.want) {
			t.Errorf("%s: Deadline %v, %v, want %v", name, at, ok, tt.want)
		}
		if v := tt.c.Value(key{}); v != "value" {
			t.Errorf("%s: Value %v", name, v)
		}
	}
}

// Contexts of the standard library in one of ours end with it.
func TestWhatLiesInAContextEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c deadline.Context
		c.Begin(t.Context(), time.Now().Add(time.Second))
		in, cancel := context.WithCancel(&c)
		defer cancel()
		<-in.Done()
		if err := in.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Err: %v", err)
		}
	})
}

func TestAContextThatNobodyWaitsForAllocatesNothing(t *testing.T) {
	parent, all := t.Context(), make([]deadline.Context, 101)
	i := 0
	got := testing.AllocsPerRun(100, func() {
		c := &all[i]
		i++
		c.Begin(parent, time.Now().Add(time.Second))
		if c.Err() != nil {
			t.Error("it has ended")
		}
		c.End()
	})
	if got > 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func TestOuterIsTheRestOfIt(t *testing.T) {
	parent, cancel := context.WithCancel(t.Context())
	defer cancel()
	var outer, inner, detached deadline.Context
	outer.Begin(parent, second())
	inner.Begin(&outer, second())
	detached.BeginDetached(parent, second())
	if outer.Outer() != parent || inner.Outer() != parent {
		t.Error("the rest is not the parent")
	}
	if detached.Outer().Done() != nil {
		t.Error("the rest of a detached one ends")
	}
}

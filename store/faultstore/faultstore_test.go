package faultstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
	"github.com/holdfast-sessions/holdfast/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.RunInBubble(t, func(*testing.T) storetest.Harness {
		n := faultstore.New()
		return storetest.Harness{
			Store:   n.Client("app1"),
			Restart: func(testing.TB) { n.Kill(); n.Revive() },
		}
	})
}

const timeout = 500 * time.Millisecond

// A scene is a node on which the item k, "first", was written by app1.
type scene struct {
	*faultstore.Node
	t          *testing.T
	app1, app2 *faultstore.Client
	at         store.Version // of the item, as app1 knows it
}

func inScene(t *testing.T, play func(*scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := faultstore.New()
		s := &scene{Node: n, t: t, app1: n.Client("app1"), app2: n.Client("app2")}
		s.at = s.mustPut(s.app1, "first", store.Absent)
		play(s)
	})
}

func text(value string) store.Item { return store.Item{Value: []byte(value), TTL: time.Hour} }

// put gives up after timeout.
func (s *scene) put(c *faultstore.Client, value string, at store.Version) (store.Version, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), timeout)
	defer cancel()
	return c.Put(ctx, "k", text(value), at)
}

func (s *scene) mustPut(c *faultstore.Client, value string, at store.Version) store.Version {
	s.t.Helper()
	v, err := s.put(c, value, at)
	if err != nil {
		s.t.Fatalf("Put(%s): %v", value, err)
	}
	return v
}

// every makes one call of each kind, and returns their errors and how long they took.
func (s *scene) every(c *faultstore.Client, key string) (map[string]error, time.Duration) {
	ctx, cancel := context.WithTimeout(s.t.Context(), timeout)
	defer cancel()
	began := time.Now()
	errs := make([]error, 5)
	var wg sync.WaitGroup
	wg.Go(func() { _, errs[0] = c.Get(ctx, key, store.Whole) })
	wg.Go(func() { _, errs[1] = c.Get(ctx, key, store.Head) })
	wg.Go(func() { _, errs[2] = c.Put(ctx, key, text("x"), store.Any) })
	wg.Go(func() { _, errs[3] = c.Touch(ctx, key, time.Hour) })
	wg.Go(func() { errs[4] = c.Delete(ctx, key, store.Any) })
	wg.Wait()
	return map[string]error{"get": errs[0], "head": errs[1], "put": errs[2], "touch": errs[3], "delete": errs[4]}, time.Since(began)
}

func (s *scene) wantRefused(c *faultstore.Client) {
	s.t.Helper()
	errs, took := s.every(c, "k")
	for verb, err := range errs {
		if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrUnknownOutcome) || took != 0 {
			s.t.Errorf("%s: %v after %v, want refused at once", verb, err, took)
		}
	}
}

func (s *scene) wantUnanswered(errs map[string]error) {
	s.t.Helper()
	for verb, err := range errs {
		writes := verb != "get" && verb != "head"
		if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrUnknownOutcome) != writes {
			s.t.Errorf("%s: %v, want no answer", verb, err)
		}
	}
}

// wantStored asks as somebody else.
func (s *scene) wantStored(want string) {
	s.t.Helper()
	item, err := s.Client("reader").Get(s.t.Context(), "k", store.Whole)
	if want == "" && errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil || string(item.Value) != want {
		s.t.Errorf("stored is %q, error %v; want %q", item.Value, err, want)
	}
}

func (s *scene) wantConflict(c *faultstore.Client, at store.Version) {
	s.t.Helper()
	if _, err := s.put(c, "late", at); !errors.Is(err, store.ErrConflict) {
		s.t.Errorf("Put at a version from before: %v, want %v", err, store.ErrConflict)
	}
}

func TestKilledNodeRefusesAndComesBackEmpty(t *testing.T) {
	inScene(t, func(s *scene) {
		s.Kill()
		s.wantRefused(s.app1)
		s.Revive()
		s.wantStored("")
		v := s.mustPut(s.app2, "second", store.Absent)
		if v.Token != s.at.Token {
			s.t.Errorf("the first version after the start has token %d, want %d again", v.Token, s.at.Token)
		}
		s.wantConflict(s.app1, s.at)
		s.wantStored("second")
	})
}

func TestFrozenNodeLetsCallsWait(t *testing.T) {
	inScene(t, func(s *scene) {
		s.Freeze()
		errs, took := s.every(s.app1, "k")
		if took != timeout {
			s.t.Errorf("calls waited %v, want %v", took, timeout)
		}
		s.wantUnanswered(errs)
	})
}

func TestThawedNodeDoesWhatWasSentInOrder(t *testing.T) {
	inScene(t, func(s *scene) {
		other, _ := s.app2.Get(s.t.Context(), "k", store.Whole)
		s.Freeze()
		s.put(s.app1, "second", s.at)
		s.put(s.app2, "third", other.Version) // was faster once, is too late now
		if err := s.app1.Close(); err != nil {
			s.t.Fatal(err)
		}
		s.Thaw()
		s.wantStored("second")
	})
}

func TestCallThatStillWaitsIsAnsweredByTheThaw(t *testing.T) {
	inScene(t, func(s *scene) {
		s.Freeze()
		time.AfterFunc(timeout/2, s.Thaw)
		began := time.Now()
		v := s.mustPut(s.app1, "second", s.at)
		if took := time.Since(began); took != timeout/2 {
			s.t.Errorf("it waited %v, want %v", took, timeout/2)
		}
		s.mustPut(s.app1, "third", v)
	})
}

// Whatever ends the connection of a call ends its wait.
func TestCallsUnderWayGetNoAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(*scene)
		lands bool // what was sent
	}{
		"killed":  {func(s *scene) { s.Kill(); s.Revive() }, false},
		"started": {func(s *scene) { s.Revive() }, false},
		"reset":   {func(s *scene) { s.Reset() }, true},
		"cut":     {func(s *scene) { s.Cut("app1") }, true},
		"closed":  {func(s *scene) { s.app1.Close() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			inScene(t, func(s *scene) {
				s.Freeze()
				time.AfterFunc(timeout/2, func() { c.fault(s) })
				errs, took := s.every(s.app1, "k2")
				if took != timeout/2 {
					s.t.Errorf("calls waited %v, want %v", took, timeout/2)
				}
				s.wantUnanswered(errs)
			})
			inScene(t, func(s *scene) {
				s.Freeze()
				time.AfterFunc(timeout/2, func() { c.fault(s) })
				s.put(s.app1, "second", s.at)
				s.Thaw()
				s.wantStored(map[bool]string{true: "second"}[c.lands])
			})
		})
	}
}

func TestResetEndsVersions(t *testing.T) {
	inScene(t, func(s *scene) {
		s.Reset()
		s.wantConflict(s.app1, s.at)
		s.wantStored("first")
	})
}

func TestVersionsBelongToTheirClient(t *testing.T) {
	inScene(t, func(s *scene) {
		s.wantConflict(s.app2, s.at)
		s.mustPut(s.app1, "second", s.at)
	})
}

func TestCutIsForOneName(t *testing.T) {
	inScene(t, func(s *scene) {
		s.Cut("app1")
		s.wantRefused(s.app1)
		s.wantRefused(s.Client("app1"))
		s.mustPut(s.app2, "second", store.Any)
		s.Mend("app1")
		s.mustPut(s.app1, "third", store.Any)
		s.wantConflict(s.app1, s.at)
	})
}

func TestEmptiedNodeGoesOn(t *testing.T) {
	inScene(t, func(s *scene) {
		s.Empty()
		s.wantStored("")
		s.wantConflict(s.app1, s.at)
		s.mustPut(s.app1, "second", store.Absent)
		s.wantConflict(s.app1, s.at)
	})
}

func TestEvictedItemIsGone(t *testing.T) {
	inScene(t, func(s *scene) {
		for _, key := range s.Keys() {
			s.Evict(key)
		}
		s.wantStored("")
	})
}

func TestRestoredNodeHasItsOldMemory(t *testing.T) {
	inScene(t, func(s *scene) {
		s.app1.Put(s.t.Context(), "short", store.Item{Value: []byte("x"), TTL: time.Minute}, store.Any)
		s.app1.Put(s.t.Context(), "forever", store.Item{Value: []byte("x")}, store.Any)
		old := s.Snapshot()
		s.mustPut(s.app1, "second", s.at)
		s.Kill()
		time.Sleep(30 * time.Minute)
		s.Restore(old)
		s.wantStored("first")
		s.wantConflict(s.app1, s.at)
		if got, want := fmt.Sprint(s.Keys()), "[forever k]"; got != want {
			s.t.Errorf("it has %s, want %s", got, want)
		}
		time.Sleep(31 * time.Minute)
		s.wantStored("")
	})
}

func TestCallsAreCounted(t *testing.T) {
	inScene(t, func(s *scene) {
		before := s.Calls()
		s.every(s.app1, "k")
		s.Kill()
		s.every(s.app2, "k")
		if got := s.Calls() - before; got != 10 {
			s.t.Errorf("%d calls counted, want 10", got)
		}
	})
}

func TestInterceptorLosesAnAnswer(t *testing.T) {
	inScene(t, func(s *scene) {
		var seen []faultstore.Call
		s.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			seen = append(seen, call)
			_ = next()
			return store.ErrUnknownOutcome
		})
		if v, err := s.put(s.app1, "second", s.at); err != store.ErrUnknownOutcome || v != (store.Version{}) {
			s.t.Errorf("got version %v, error %v", v, err)
		}
		s.Intercept(nil)
		s.wantStored("second")
		if want := []faultstore.Call{{Client: "app1", Verb: "put", Key: "k"}}; !slices.Equal(seen, want) {
			s.t.Errorf("seen: %v, want %v", seen, want)
		}
	})
}

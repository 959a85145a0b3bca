package holdfast_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// The lock moves to the new id of a renewed session; the wait does not begin anew.
func TestAWaitThatMovesToANewIDIsOneWait(t *testing.T) {
	inLockPair(t, lockAll, func(p *lockPair) {
		const before = time.Second // the first lock is free before the wait ends
		former, renew := p.does(1, addOne), newPause()
		status, took := make(chan int, 1), make(chan time.Duration, 1)
		renewed := p.does(0, func(s *holdfast.Session) { s.Renew(); renew.here() })
		renewed.during(renew, "/", func() {
			go func() {
				began := time.Now()
				status <- former.get("/").Code
				took <- time.Since(began)
			}()
			time.Sleep(lockWait - before)
		})
		working := newPause()
		renewed.session(p.managers[0], func(s *holdfast.Session) { s.Exists(); working.here() }).during(working, "/", func() {
			if got := <-took; got != lockWait {
				t.Errorf("it waited for two locks of a session for %v, want %v", got, lockWait)
			}
		})
		if got := <-status; got != http.StatusServiceUnavailable {
			t.Errorf("status %d", got)
		}
		if got := p.locks(1); got.Taken != 1 || got.Timeouts != 1 {
			t.Errorf("locks: %+v, want one taken and one waited for in vain", got)
		}
	})
}

// A former id's lock is given back behind the request that needs the new one's.
func TestNoRequestWaitsUntilAFormerIDsLockIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := faultstore.New()
		m := newManager(t, node.Client("app1"), &holdfast.Options{Locking: holdfast.Locking{Mode: holdfast.LockAll}})
		v := &visitor{cookie: beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })}
		former := v.session(m, func(s *holdfast.Session) { s.Exists() })
		v.session(m, func(s *holdfast.Session) { s.Renew() }).get("/")
		formers := "lock:" + storageKeyOf(former.sends())
		node.Intercept(func(ctx context.Context, c faultstore.Call, next func() error) error {
			if c.Verb == "delete" && strings.HasPrefix(c.Key, formers) {
				time.Sleep(100 * time.Millisecond)
			}
			return next()
		})
		began := time.Now()
		wantStatus(t, former.get("/"), http.StatusOK)
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
		stopWithoutLocks(t, m, node)
	})
}

// stopWithoutLocks wants a stop to wait for all locks to be given back.
func stopWithoutLocks(t *testing.T, m *holdfast.Manager, node *faultstore.Node) {
	t.Helper()
	if err := m.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for _, key := range node.Keys() {
		if strings.HasPrefix(key, "lock:") {
			t.Errorf("the stop left %s", key)
		}
	}
}

// Giving the lock back is session work like any other: slow work before leaves it less.
func TestGivingTheLockBackTakesNoLongerThanTheRequestMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const longest, slow = 500 * time.Millisecond, 200 * time.Millisecond
		node := faultstore.New()
		m := newManager(t, node.Client("app1"), &holdfast.Options{OperationTimeout: longest, Locking: holdfast.Locking{Mode: holdfast.LockAll}})
		v := &visitor{cookie: beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })}
		node.Intercept(func(ctx context.Context, c faultstore.Call, next func() error) error {
			if strings.HasPrefix(c.Key, "lock:") && c.Verb != "delete" {
				return next()
			}
			select {
			case <-time.After(slow):
				return next()
			case <-ctx.Done():
				return store.ErrUnavailable
			}
		})
		began := time.Now()
		wantStatus(t, v.session(m, func(s *holdfast.Session) { increment(s) }).get("/"), http.StatusOK)
		if took := time.Since(began); took != longest {
			t.Errorf("it took %v, want %v: reading, storing, and the rest for the lock", took, longest)
		}
		stopWithoutLocks(t, m, node)
	})
}

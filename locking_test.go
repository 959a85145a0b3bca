package holdfast_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

func TestLockingSettings(t *testing.T) {
	some := func(*http.Request) bool { return true }
	for name, c := range map[string]struct {
		locking holdfast.Locking
		want    string // of the error
	}{
		"zero":                     {holdfast.Locking{}, ""},
		"all":                      {holdfast.Locking{Mode: holdfast.LockAll, Wait: time.Millisecond, Lease: time.Second, MaxWaiting: 1, Status: 423}, ""},
		"requests":                 {holdfast.Locking{Mode: holdfast.LockRequests, Request: some}, ""},
		"requests, not said which": {holdfast.Locking{Mode: holdfast.LockRequests}, "without Request"},
		"which, but all":           {holdfast.Locking{Mode: holdfast.LockAll, Request: some}, "Mode is all"},
		"unknown mode":             {holdfast.Locking{Mode: 9}, "LockMode(9)"},
		"negative wait":            {holdfast.Locking{Wait: -1}, "Wait is negative"},
		"short lease":              {holdfast.Locking{Lease: 999 * time.Millisecond}, "Lease of 999ms"},
		"negative lease":           {holdfast.Locking{Lease: -1}, "Lease of -1ns"},
		"negative crowd":           {holdfast.Locking{MaxWaiting: -1}, "MaxWaiting is negative"},
		"another status":           {holdfast.Locking{Status: 500}, "Status 500"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := holdfast.New(nil, &holdfast.Options{Locking: c.locking})
			if err == nil {
				defer m.Shutdown(t.Context())
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// A lockPair is two app servers, each with its own way to one store.
type lockPair struct {
	t        *testing.T
	on       store.Store
	taps     [2]*tap
	managers [2]*holdfast.Manager
	visitor  *visitor // with a session
}

const (
	lockWait  = 6 * time.Second
	lockLease = 4 * time.Second
)

// inLockPair plays with two app servers in fake time.
func inLockPair(t *testing.T, opts holdfast.Options, play func(*lockPair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opts.Locking.Wait, opts.Locking.Lease = lockWait, lockLease
		p := &lockPair{t: t, on: memorystore.New(nil)}
		for i := range p.managers {
			p.taps[i] = &tap{Store: p.on}
			p.managers[i] = newManager(t, p.taps[i], &opts)
		}
		p.visitor = &visitor{cookie: beginSession(p.managers[0], func(s *holdfast.Session) { textKey.Set(s, "old") })}
		play(p)
	})
}

// does is the visitor before a handler of server i.
func (p *lockPair) does(i int, do func(*holdfast.Session)) *visitor {
	return p.visitor.session(p.managers[i], do)
}

// wantStored wants what show shows, as a server sees it that does not lock.
func (p *lockPair) wantStored(want string) {
	p.t.Helper()
	if got := stored(p.t, p.on, nil, p.visitor.sends()); got != want {
		p.t.Errorf("stored %q, want %q", got, want)
	}
}

func (p *lockPair) locks(i int) holdfast.LockStats { return p.managers[i].Stats().Locks }

// wantFree wants nobody to have the session's lock.
func (p *lockPair) wantFree() {
	p.t.Helper()
	synctest.Wait() // for what goes on behind requests
	began := time.Now()
	wantStatus(p.t, p.does(1, func(s *holdfast.Session) { s.Lock() }).get("/free"), http.StatusOK)
	if took := time.Since(began); took != 0 {
		p.t.Errorf("the lock was free after %v", took)
	}
}

// addOne is what loses updates without a lock.
func addOne(s *holdfast.Session) {
	n, _ := numberKey.Get(s)
	numberKey.Set(s, n+1)
}

// lockModes are all ways in which a request to /add can have a lock.
var lockModes = map[string]struct {
	locking holdfast.Locking
	add     func(*holdfast.Session)
}{
	"by itself": {holdfast.Locking{}, func(s *holdfast.Session) {
		if s.Lock() == nil {
			addOne(s)
		}
	}},
	"by itself, late": {holdfast.Locking{}, func(s *holdfast.Session) {
		otherKey.Get(s)
		if s.Lock() == nil {
			addOne(s)
		}
	}},
	"all":      {holdfast.Locking{Mode: holdfast.LockAll}, addOne},
	"auto":     {holdfast.Locking{Mode: holdfast.LockAuto}, addOne},
	"requests": {holdfast.Locking{Mode: holdfast.LockRequests, Request: toAdd}, addOne},
}

func toAdd(r *http.Request) bool { return r.URL.Path == "/add" }

// A hundred additions, ten at a time on two servers, each on a store that takes a
// millisecond. Nobody adds to a number that another is adding to.
func TestAHundredOfAHundredInEachLockMode(t *testing.T) {
	for name, mode := range lockModes {
		for servers := 1; servers <= 2; servers++ {
			opts := holdfast.Options{Locking: mode.locking, Sticky: servers == 1}
			t.Run(fmt.Sprintf("%s, sticky %v", name, opts.Sticky), func(t *testing.T) {
				inLockPair(t, opts, func(p *lockPair) {
					p.slowDown()
					var all sync.WaitGroup
					for i := range 10 {
						all.Go(func() {
							add := p.does(i%servers, mode.add)
							look := p.does(i%servers, func(s *holdfast.Session) { numberKey.Get(s) })
							for range 10 {
								wantStatus(p.t, add.get("/add"), http.StatusOK)
								wantStatus(p.t, look.get("/look"), http.StatusOK)
							}
						})
					}
					all.Wait()
					p.wantStored("100|old||")
					if got := p.locks(0); got.Taken < 50 || got.Waited == 0 || got.Timeouts+got.Lost+got.Fenced != 0 {
						p.t.Errorf("locks: %+v", got)
					}
				})
			})
		}
	}
}

func (p *lockPair) slowDown() {
	for _, tap := range p.taps {
		tap.set(slow(time.Millisecond))
	}
}

// Under a balancer that is not sticky though the servers are, additions are refused
// that were made to what another server has changed, and none is lost.
func TestAFlippingBalancerLosesNothingThatWasLocked(t *testing.T) {
	for _, async := range []bool{false, true} {
		opts := holdfast.Options{Locking: holdfast.Locking{Mode: holdfast.LockAll}, Sticky: true, BackupAsync: async}
		t.Run(fmt.Sprintf("async %v", async), func(t *testing.T) {
			inLockPair(t, opts, func(p *lockPair) {
				p.slowDown()
				var stored atomic.Int64
				var all sync.WaitGroup
				for i := range 4 {
					all.Go(func() {
						browser := p.does(i%2, addOne)
						for range 25 {
							if w := browser.get("/add"); w.Code == http.StatusOK {
								stored.Add(1)
							} else {
								wantStatus(p.t, w, http.StatusConflict)
							}
						}
					})
				}
				all.Wait()
				for _, m := range p.managers {
					m.Shutdown(p.t.Context())
				}
				p.wantStored(fmt.Sprintf("%d|old||", stored.Load()))
				if stored.Load() < 10 {
					p.t.Errorf("only %d were stored", stored.Load())
				}
			})
		})
	}
}

// Where locks that end too early lose updates: requests that take long.
func TestEightParallelRequestsOfFiftyMillisecondsAreAllKept(t *testing.T) {
	for servers := 1; servers <= 2; servers++ {
		t.Run(fmt.Sprint(servers, " servers"), func(t *testing.T) {
			inLockPair(t, holdfast.Options{Locking: holdfast.Locking{Mode: holdfast.LockAll}}, func(p *lockPair) {
				began := time.Now()
				var all sync.WaitGroup
				for i := range 8 {
					all.Go(func() {
						wantStatus(p.t, p.does(i%servers, func(s *holdfast.Session) {
							n, _ := numberKey.Get(s)
							time.Sleep(50 * time.Millisecond)
							numberKey.Set(s, n+1)
						}).get("/"), http.StatusOK)
					})
				}
				all.Wait()
				p.wantStored("8|old||")
				if took := time.Since(began); took < 400*time.Millisecond || took > 700*time.Millisecond {
					p.t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// stop makes all calls of server i stand still, as SIGSTOP does, until goOn.
func (p *lockPair) stop(i int) (goOn func()) {
	on := make(chan struct{})
	p.taps[i].set(bend{
		get: func(_ context.Context, next func() (store.Item, error)) (store.Item, error) { <-on; return next() },
		put: func(_ context.Context, next func() (store.Version, error)) (store.Version, error) {
			<-on
			return next()
		},
	})
	return func() { close(on); p.taps[i].set(bend{}) }
}

func TestAHolderThatStoodStillForTooLongStoresNothing(t *testing.T) {
	for name, work := range map[string]time.Duration{"the other is at work": time.Second, "the other is done": 0} {
		t.Run(name, func(t *testing.T) {
			inLockPair(t, lockAll, func(p *lockPair) {
				slow, other := newPause(), make(chan int, 1)
				w := p.does(0, func(s *holdfast.Session) {
					n, _ := numberKey.Get(s)
					slow.here()
					numberKey.Set(s, n+1)
					if err := s.Commit(); !errors.Is(err, holdfast.ErrLockLost) || !errors.Is(err, holdfast.ErrConflict) {
						p.t.Errorf("Commit: %v, want ErrLockLost", err)
					}
					addOne(s) // in vain as well
				}).during(slow, "/", func() {
					goOn := p.stop(0)
					go func() {
						other <- p.does(1, func(s *holdfast.Session) { addOne(s); time.Sleep(work) }).get("/").Code
					}()
					time.Sleep(lockLease + 100*time.Millisecond)
					goOn()
				})
				wantStatus(p.t, w, http.StatusConflict)
				if status := <-other; status != http.StatusOK {
					p.t.Errorf("the other: status %d", status)
				}
				p.wantStored("1|old||")
				if got := p.locks(0); got.Lost != 1 || got.Fenced == 0 {
					p.t.Errorf("locks of who stood still: %+v", got)
				}
				if got := p.locks(1); got.Lost != 0 || got.Fenced != 0 {
					p.t.Errorf("locks of the other: %+v", got)
				}
				p.wantFree()
			})
		})
	}
}

// Whatever loses a lock, the compare-and-set keeps the update: here both have it.
func TestALockThatIsHeldTwiceLosesNoUpdate(t *testing.T) {
	inLockPair(t, holdfast.Options{Locking: holdfast.Locking{Mode: holdfast.LockAll}}, func(p *lockPair) {
		slow := newPause()
		w := p.does(0, func(s *holdfast.Session) {
			n, _ := numberKey.Get(s)
			slow.here()
			numberKey.Set(s, n+1)
		}).during(slow, "/", func() {
			p.loseLocks()
			wantStatus(p.t, p.does(1, addOne).get("/"), http.StatusOK)
		})
		wantStatus(p.t, w, http.StatusConflict)
		p.wantStored("1|old||")
		p.wantFree()
	})
}

// loseLocks has the node lose the session's lock.
func (p *lockPair) loseLocks() {
	p.t.Helper()
	key := "lock:" + storageKeyOf(p.visitor.sends())
	if _, err := p.on.Get(p.t.Context(), key, store.Head); err != nil {
		p.t.Fatalf("there is no lock: %v", err)
	}
	if err := p.on.Delete(p.t.Context(), key, store.Any); err != nil {
		p.t.Fatal(err)
	}
}

func storageKeyOf(cookie string) string {
	_, value, _ := strings.Cut(cookie, "=")
	return placement.StorageKey("", regexp.MustCompile(`^[A-Za-z0-9]+`).FindString(value))
}

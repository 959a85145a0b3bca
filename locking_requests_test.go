package holdfast_test

import (
	"errors"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/lock"
)

var lockAll = holdfast.Options{Locking: holdfast.Locking{Mode: holdfast.LockAll}}

func TestRequestsWithoutASessionTakeNoLock(t *testing.T) {
	opts := lockAll
	opts.Ignore = regexp.MustCompile(`\.png$`)
	for name, c := range map[string]struct {
		path, cookie string
		do           func(*holdfast.Session)
	}{
		"ignored path":        {"/x.png", "", func(s *holdfast.Session) { s.Lock(); addOne(s) }},
		"not used":            {"/", "", func(*holdfast.Session) {}},
		"no cookie":           {"/", "none", func(s *holdfast.Session) { s.Lock(); numberKey.Get(s) }},
		"session that begins": {"/", "none", func(s *holdfast.Session) { s.Lock(); addOne(s) }},
	} {
		t.Run(name, func(t *testing.T) {
			inLockPair(t, opts, func(p *lockPair) {
				before := p.locks(0)
				v := p.does(0, c.do)
				if c.cookie == "none" {
					v.cookie = ""
				}
				wantStatus(p.t, v.get(c.path), http.StatusOK)
				if got := p.locks(0); got != before {
					p.t.Errorf("locks: %+v, want %+v", got, before)
				}
			})
		})
	}
}

// locked plays while a request on server 0 has the lock.
func (p *lockPair) locked(play func()) {
	p.t.Helper()
	holding := newPause()
	w := p.does(0, func(s *holdfast.Session) {
		s.Lock()
		addOne(s)
		holding.here()
	}).during(holding, "/holding", play)
	wantStatus(p.t, w, http.StatusOK)
}

func TestWhoCannotHaveTheLockIsRefused(t *testing.T) {
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusLocked} {
		opts := holdfast.Options{Locking: holdfast.Locking{Mode: holdfast.LockAll, Status: status}}
		t.Run(http.StatusText(status), func(t *testing.T) {
			inLockPair(t, opts, func(p *lockPair) {
				p.locked(func() {
					began := time.Now()
					w := p.does(1, func(s *holdfast.Session) {
						addOne(s)
						textKey.Get(s)
					}).get("/")
					wantStatus(p.t, w, status)
					if w.Header().Get("Retry-After") == "" {
						p.t.Error("it does not say when to try again")
					}
					if took := time.Since(began); took != lockWait {
						p.t.Errorf("it waited %v, want %v", took, lockWait)
					}
				})
				p.wantStored("1|old||")
				if got := p.locks(1); got.Timeouts != 1 || got.Taken != 0 {
					p.t.Errorf("locks: %+v", got)
				}
			})
		})
	}
}

func TestAHandlerCanAnswerForALockThatItDidNotGet(t *testing.T) {
	inLockPair(t, holdfast.Options{}, func(p *lockPair) {
		v := &visitor{cookie: p.visitor.sends(), handler: p.managers[1].Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
			if err := s.Lock(); err != nil && s.Err() != nil {
				w.WriteHeader(http.StatusTeapot)
			}
		}))}
		p.locked(func() { wantStatus(p.t, v.get("/"), http.StatusTeapot) })
	})
}

// What was done before a Lock that failed is not stored behind its error.
func TestAfterALockThatFailedNothingIsStored(t *testing.T) {
	inLockPair(t, holdfast.Options{}, func(p *lockPair) {
		p.locked(func() {
			w := p.does(1, func(s *holdfast.Session) {
				otherKey.Set(s, "before")
				if err := s.Lock(); !errors.Is(err, holdfast.ErrLockTimeout) {
					p.t.Errorf("Lock: %v, want ErrLockTimeout", err)
				}
				textKey.Set(s, "after")
				if err := s.Commit(); !errors.Is(err, holdfast.ErrLockTimeout) {
					p.t.Errorf("Commit: %v, want ErrLockTimeout", err)
				}
			}).get("/")
			wantStatus(p.t, w, http.StatusServiceUnavailable)
		})
		p.wantStored("1|old||")
	})
}

func TestWithoutNodesNobodyGoesOnWithoutALock(t *testing.T) {
	inLockPair(t, lockAll, func(p *lockPair) {
		p.taps[0].set(down())
		w := p.does(0, addOne).get("/")
		wantStatus(p.t, w, http.StatusServiceUnavailable)
		p.taps[0].set(bend{})
		p.wantStored("0|old||")
	})
}

// A request that does not lock changes the session under one that does: the lock's
// holder is told, and nothing is lost.
func TestAChangeWithoutALockUnderOne(t *testing.T) {
	decided := 0
	for name, add := range map[string]func(*holdfast.Session){
		"set": addOne, "update": func(s *holdfast.Session) { increment(s) },
		"do": func(s *holdfast.Session) {
			decided = 0
			s.Do(func(s *holdfast.Session) error { decided++; return increment(s) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			inLockPair(t, holdfast.Options{}, func(p *lockPair) {
				holding := newPause()
				w := p.does(0, func(s *holdfast.Session) {
					s.Lock()
					numberKey.Get(s)
					holding.here()
					add(s)
				}).during(holding, "/", func() {
					wantStatus(p.t, p.does(1, func(s *holdfast.Session) { textKey.Set(s, "new") }).get("/"), http.StatusOK)
				})
				wantStatus(p.t, w, http.StatusConflict)
				p.wantStored("0|new||")
				if got := p.locks(0); got.Fenced != 1 || got.Lost != 0 {
					p.t.Errorf("locks: %+v", got)
				}
				if name == "do" && decided != 1 {
					p.t.Errorf("the function given to Do ran %d times", decided)
				}
			})
		})
	}
}

func TestARefreshedHolderMayCommit(t *testing.T) {
	inLockPair(t, holdfast.Options{}, func(p *lockPair) {
		w := p.does(0, func(s *holdfast.Session) {
			s.Lock()
			increment(s)
			p.does(1, func(s *holdfast.Session) { textKey.Set(s, "new") }).get("/")
			if err := s.Commit(); !errors.Is(err, holdfast.ErrLockLost) || s.Err() == nil {
				p.t.Errorf("Commit: %v, want ErrLockLost", err)
			}
			if err := s.Refresh(); err != nil {
				p.t.Error(err)
			}
			if err := s.Commit(); err != nil {
				p.t.Error(err)
			}
		}).get("/")
		wantStatus(p.t, w, http.StatusOK)
		p.wantStored("1|new||")
	})
}

func TestLockIsTakenOnce(t *testing.T) {
	inLockPair(t, holdfast.Options{}, func(p *lockPair) {
		v := p.does(0, func(s *holdfast.Session) {
			for range 3 {
				if err := s.Lock(); err != nil {
					p.t.Error(err)
				}
			}
			addOne(s)
			s.Commit()
			addOne(s)
		})
		wantStatus(p.t, v.get("/"), http.StatusOK)
		p.wantStored("2|old||")
		if got := p.locks(0); got.Stats != (lock.Stats{Taken: 1}) {
			p.t.Errorf("locks: %+v", got)
		}
		p.wantFree()
	})
}

// A session that was loaded before is read again, with the request's changes on top.
func TestALateLockShowsTheNewestState(t *testing.T) {
	inLockPair(t, holdfast.Options{}, func(p *lockPair) {
		v := p.does(0, func(s *holdfast.Session) {
			otherKey.Set(s, "mine")
			p.does(1, func(s *holdfast.Session) { numberKey.Set(s, 7) }).get("/")
			if err := s.Lock(); err != nil {
				p.t.Error(err)
			}
			if other, _ := otherKey.Get(s); other != "mine" {
				p.t.Errorf("what this request set is %q now", other)
			}
			addOne(s)
		})
		wantStatus(p.t, v.get("/"), http.StatusOK)
		p.wantStored("8|old|mine|")
	})
}

// A stream gives the lock back, and goes on with a session that others change.
func TestAStreamUnlocks(t *testing.T) {
	inLockPair(t, lockAll, func(p *lockPair) {
		streaming := newPause()
		w := p.does(0, func(s *holdfast.Session) {
			addOne(s)
			if err := s.Unlock(); err != nil {
				p.t.Error(err)
			}
			streaming.here()
			otherKey.Set(s, "late")
		}).during(streaming, "/stream", func() {
			p.wantStored("1|old||")
			p.wantFree()
			wantStatus(p.t, p.does(1, addOne).get("/"), http.StatusOK)
		})
		wantStatus(p.t, w, http.StatusOK)
		p.wantStored("2|old|late|")
	})
}

func TestARequestThatPanicsGivesItsLockBack(t *testing.T) {
	inLockPair(t, lockAll, func(p *lockPair) {
		func() {
			defer func() { recover() }()
			p.does(0, func(s *holdfast.Session) { addOne(s); panic("handler") }).get("/")
		}()
		p.wantFree()
		p.wantStored("0|old||")
	})
}

// A goroutine that outlives its request gets no lock to keep.
func TestALockForARequestThatIsOver(t *testing.T) {
	inLockPair(t, holdfast.Options{}, func(p *lockPair) {
		var late *holdfast.Session
		p.does(1, func(s *holdfast.Session) { late = s }).get("/")
		if err := late.Lock(); !errors.Is(err, holdfast.ErrTooLate) {
			p.t.Errorf("Lock: %v, want ErrTooLate", err)
		}
		p.wantFree()
	})
}

func TestALogoutUnderALock(t *testing.T) {
	inLockPair(t, lockAll, func(p *lockPair) {
		cookie := p.visitor.sends()
		wantStatus(p.t, p.does(0, func(s *holdfast.Session) { s.Destroy(); addOne(s) }).get("/"), http.StatusOK)
		p.wantStored("0|||")
		p.visitor.cookie = cookie
		p.wantFree()
		if got := p.locks(0); got.Taken != 1 || got.Lost+got.Fenced != 0 {
			p.t.Errorf("locks: %+v", got)
		}
	})
}

// After a renewal requests come with either id, and wait for each other.
func TestBothIDsOfARenewedSessionHaveOneLock(t *testing.T) {
	inLockPair(t, lockAll, func(p *lockPair) {
		former := p.does(1, addOne)
		renew := p.does(0, func(s *holdfast.Session) { s.Renew() })
		renew.get("/")
		renew.get("/")
		holding, answer := newPause(), make(chan int)
		renewed := renew.session(p.managers[0], func(s *holdfast.Session) { addOne(s); holding.here() })
		w := renewed.during(holding, "/", func() {
			go func() { answer <- former.get("/").Code }()
			select {
			case <-answer:
				p.t.Error("the request with the former id did not wait")
			case <-time.After(time.Second):
			}
		})
		wantStatus(p.t, w, http.StatusOK)
		if status := <-answer; status != http.StatusOK {
			p.t.Errorf("with the former id: status %d", status)
		}
		if got := stored(p.t, p.on, nil, renewed.sends()); got != "2|old||" {
			p.t.Errorf("stored %q", got)
		}
	})
}

func TestWithLocksOutsideOfRequests(t *testing.T) {
	inLockPair(t, lockAll, func(p *lockPair) {
		var id holdfast.ID
		p.does(0, func(s *holdfast.Session) { id = s.ID() }).get("/")
		err := p.managers[0].With(p.t.Context(), id, func(s *holdfast.Session) error {
			began := time.Now()
			wantStatus(p.t, p.does(1, addOne).get("/"), http.StatusServiceUnavailable)
			if took := time.Since(began); took != lockWait {
				p.t.Errorf("another waited %v", took)
			}
			return nil
		})
		if err != nil {
			p.t.Error(err)
		}
		p.wantFree()
	})
}

// taken is how many locks the requests of do on server 0 take.
func (p *lockPair) taken(do func()) uint64 {
	before := p.locks(0).Taken
	do()
	return p.locks(0).Taken - before
}

func TestAutoLocksWhatHasEverChangedASession(t *testing.T) {
	inLockPair(t, holdfast.Options{Locking: holdfast.Locking{Mode: holdfast.LockAuto}}, func(p *lockPair) {
		page := p.does(0, func(s *holdfast.Session) { numberKey.Get(s) })
		add := p.does(0, addOne)
		for _, step := range []struct {
			what string
			v    *visitor
			path string
			want uint64
		}{
			{"first read", page, "/page", 1},
			{"second", page, "/page", 1},
			{"third", page, "/page?query", 1},
			{"read-only", page, "/page", 0},
			{"with any query", page, "/page?b", 0},
			{"another path", page, "/other", 1},
			{"a path that changes", add, "/add", 1},
			{"again", add, "/add", 1},
			{"again", add, "/add", 1},
			{"again", add, "/add", 1},
			{"it only reads now", page, "/add", 1},
			{"again", page, "/add", 1},
			{"again", page, "/add", 1},
			{"again", page, "/add", 1},
			{"a read-only path changes", add, "/page", 0},
			{"which is known now", page, "/page", 1},
		} {
			if got := p.taken(func() { wantStatus(p.t, step.v.get(step.path), http.StatusOK) }); got != step.want {
				p.t.Errorf("%s: %d locks for %s, want %d", step.what, got, step.path, step.want)
			}
		}
	})
}

// A path that only reads, as far as is known, and changes the session: what it read
// without a lock is fenced as if it had one.
func TestAutoLosesNothingWhileItLearns(t *testing.T) {
	inLockPair(t, holdfast.Options{Locking: holdfast.Locking{Mode: holdfast.LockAuto}}, func(p *lockPair) {
		for range 4 {
			p.does(0, func(s *holdfast.Session) { numberKey.Get(s) }).get("/")
		}
		adding := newPause()
		w := p.does(0, func(s *holdfast.Session) {
			n, _ := numberKey.Get(s)
			adding.here()
			numberKey.Set(s, n+1)
		}).during(adding, "/", func() {
			wantStatus(p.t, p.does(1, addOne).get("/"), http.StatusOK)
		})
		wantStatus(p.t, w, http.StatusConflict)
		p.wantStored("1|old||")
	})
}

// While one goroutine of a request waits for the lock, another one of it does not
// take the wait for a fault.
func TestTheGoroutinesOfARequestWaitTogether(t *testing.T) {
	inLockPair(t, lockAll, func(p *lockPair) {
		answer := make(chan int)
		p.locked(func() {
			go func() {
				answer <- p.does(1, func(s *holdfast.Session) {
					var both sync.WaitGroup
					for range 2 {
						both.Go(func() { increment(s) })
					}
					both.Wait()
				}).get("/").Code
			}()
			time.Sleep(lockWait - time.Second)
		})
		if status := <-answer; status != http.StatusOK {
			p.t.Errorf("status %d", status)
		}
		p.wantStored("3|old||")
	})
}

// A stop of the program while somebody waits for a lock ends.
func TestShutdownWhileOthersWait(t *testing.T) {
	inLockPair(t, lockAll, func(p *lockPair) {
		p.locked(func() {
			waited := make(chan int)
			go func() { waited <- p.does(1, addOne).get("/").Code }()
			synctest.Wait()
			if err := p.managers[1].Shutdown(p.t.Context()); err != nil {
				p.t.Error(err)
			}
			if status := <-waited; status != http.StatusServiceUnavailable {
				p.t.Errorf("status %d", status)
			}
			wantStatus(p.t, p.does(1, addOne).get("/"), http.StatusServiceUnavailable)
		})
	})
}

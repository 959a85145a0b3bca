package placement_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

const (
	day  = 24 * time.Hour
	tick = time.Second
)

func TestTimeToLive(t *testing.T) {
	for _, c := range []struct {
		name           string
		idle, deadline time.Duration
		want           time.Duration
	}{
		{"an eighth more than the idle timeout", 30 * time.Minute, 0, 33*time.Minute + 45*time.Second},
		{"at least five seconds more", 10 * time.Second, 0, 15 * time.Second},
		{"the longest that servers take", 26*day + 16*time.Hour, 0, 30 * day},
		{"above that none", 26*day + 17*time.Hour, 0, store.Forever},
		{"for ever", 0, 0, store.Forever},
		{"a negative idle timeout is none", -1, 0, store.Forever},
		{"until the deadline", 0, time.Hour, time.Hour + 5*time.Second},
		{"a deadline too far away", 0, 40 * day, store.Forever},
		{"idle timeout before deadline", 10 * time.Second, time.Hour, 15 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFaulty()
				ch := settings(c.idle, time.Time{})
				if c.deadline > 0 {
					ch = settings(c.idle, time.Now().Add(c.deadline))
				}
				v := commit(t, newCluster(t, s), id, nil, ch)
				if got := timeLeft(t, s, key(id)); got != c.want || v.Record.TTL != c.want {
					t.Errorf("the item has %v, the record says %v, want %v", got, v.Record.TTL, c.want)
				}
			})
		})
	}
}

var idleTimeouts = []time.Duration{time.Second, 10 * time.Second, 30 * time.Minute, 20 * day, 60 * day}

func TestIdleSessionEndsAtMostASixteenthLateAndNeverEarly(t *testing.T) {
	for _, idle := range idleTimeouts {
		for _, c := range []struct {
			name   string
			used   time.Duration // when it is read
			unused time.Duration // for how long afterwards
			found  bool
		}{
			{"not early", 0, idle, true},
			{"not early after a read that extended nothing", idle/16 - time.Millisecond, idle, true},
			{"not early after a read that extended", idle / 2, idle, true},
			{"late by a sixteenth", 0, idle + idle/16 + tick + time.Millisecond, false},
			{"late by a sixteenth after a read", idle / 2, idle + idle/16 + tick + time.Millisecond, false},
		} {
			t.Run(idle.String()+" "+c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cl := newCluster(t, newFaulty())
					commit(t, cl, id, nil, settings(idle, time.Time{}))
					time.Sleep(c.used)
					load(t, cl, id)
					time.Sleep(c.unused)
					_, err := cl.Load(t.Context(), id, "")
					if found := err == nil; found != c.found {
						t.Errorf("found: %t (%v), want %t", found, err, c.found)
					}
				})
			})
		}
	}
}

// coarse tells the time that is left in whole seconds, as memcached does.
type coarse struct{ store.Store }

func (c coarse) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	item, err := c.Store.Get(ctx, key, part)
	item.TTL = item.TTL.Truncate(time.Second)
	return item, err
}

func TestSessionDoesNotEndEarlyOnAServerThatCountsSeconds(t *testing.T) {
	const idle = 10300 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		cl := newCluster(t, coarse{newFaulty()})
		commit(t, cl, id, nil, settings(idle, time.Time{}))
		time.Sleep(5 * time.Second)
		load(t, cl, id) // extends
		time.Sleep(300 * time.Millisecond)
		load(t, cl, id) // does not, since 15.0 of 15.3 s are left
		time.Sleep(idle)
		load(t, cl, id) // 4.7 s are left, and 4 reported
	})
}

func TestSessionInUseDoesNotExpire(t *testing.T) {
	for _, idle := range idleTimeouts {
		t.Run(idle.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFaulty()
				cl := newCluster(t, s)
				commit(t, cl, id, nil, settings(idle, time.Time{}))
				for range 10 {
					time.Sleep(idle - time.Millisecond)
					load(t, cl, id)
				}
			})
		})
	}
}

func TestSessionOf60DaysIsAliveAfter90DaysOfUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		cl := newCluster(t, s)
		created := commit(t, cl, id, nil, settings(60*day, time.Time{}))
		for range 90 {
			time.Sleep(day)
			load(t, cl, id)
		}
		synctest.Wait()
		const grain = 60 * day / 16 // 3.75 days: every fourth read
		if got, most := s.count("put")-1, int(90*day/grain); got < most-2 || got > most {
			t.Errorf("written %d times to extend it, want about %d", got, most)
		}
		v := load(t, cl, id)
		if n := len(v.Record.Commits); v.Record.Revision != uint64(s.count("put")) || n != min(s.count("put"), record.MaxCommits) {
			t.Errorf("%d writes made revision %d and %d commit ids", s.count("put"), v.Record.Revision, n)
		}
		if v := commit(t, cl, id, created, increment("a")); count(v.Record, "a") != 1 {
			t.Error("a commit that began 90 days ago was not applied to the newer record")
		}
	})
}

func TestLifeIsExtendedAtMostOnceInASixteenth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		cl := newCluster(t, s)
		commit(t, cl, id, nil, settings(30*time.Minute, time.Time{}))
		extended := 0
		for range 3600 {
			time.Sleep(time.Second)
			if load(t, cl, id).Extended {
				extended++
			}
			synctest.Wait()
		}
		const want = 3600 / 113 // seconds: 112.5, and the next read
		if got := s.count("touch"); got != want || extended != want || s.count("put") != 1 {
			t.Errorf("touched %d times, told %d times, put %d times; want %d, %d, 1", got, extended, s.count("put"), want, want)
		}
	})
}

func TestExtensionChangesNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		cl := newCluster(t, s)
		base := commit(t, cl, id, nil, settings(30*time.Minute, time.Time{}))
		time.Sleep(20 * time.Minute)
		load(t, cl, id)
		synctest.Wait()
		if got, want := timeLeft(t, s, key(id)), base.Record.TTL; got != want {
			t.Errorf("the item has %v left, want %v", got, want)
		}
		before := s.count("")
		commit(t, cl, id, base, increment("a"))
		if got := s.count("") - before; got != 1 {
			t.Errorf("a commit met a conflict with an extension")
		}
	})
}

func TestEndByIdleIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		cl := newCluster(t, s)
		commit(t, cl, id, nil, settings(time.Minute, time.Time{}))
		time.Sleep(time.Minute + 6*time.Second)
		wantGone(t, newCluster(t, s), record.Idle, true)
		wantGone(t, newCluster(t, s), record.Idle, false)
		if got := mustBeStored(t, s, key(id)); got.Kind != record.Tombstone || got.Reason != record.Idle {
			t.Errorf("stored is kind %d for reason %v", got.Kind, got.Reason)
		}
	})
}

func TestDeadlineIsAbsolute(t *testing.T) {
	for _, idle := range []time.Duration{0, 30 * time.Minute, 60 * day} {
		t.Run(idle.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFaulty()
				cl := newCluster(t, s)
				commit(t, cl, id, nil, settings(idle, time.Now().Add(time.Hour)))
				for range 6 {
					time.Sleep(10*time.Minute - time.Millisecond)
					load(t, cl, id)
				}
				time.Sleep(6 * time.Millisecond)
				wantGone(t, cl, record.Absolute, true)
				wantGone(t, newCluster(t, s), record.Absolute, false)
			})
		})
	}
}

// wantGone reports any other answer to a Load than that the session ended by
// reason, and whether it was this Load that ended it.
func wantGone(t *testing.T, c store.Backend, reason record.Reason, ended bool) {
	t.Helper()
	_, err := c.Load(t.Context(), id, "")
	gone, ok := errors.AsType[*store.GoneError](err)
	if !ok || gone.Reason != reason || (gone.Ended != nil) != ended {
		t.Errorf("Load: got %#v, want that it ended by %v, by this Load: %t", err, reason, ended)
	}
}

func TestSessionWithoutExpiryNeverExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		cl := newCluster(t, s)
		create(t, cl, id)
		for range 10 {
			time.Sleep(365 * day)
			load(t, cl, id)
		}
		synctest.Wait()
		if got := s.count("touch") + s.count("put"); got != 1 {
			t.Errorf("%d writes, want only that of its creation", got)
		}
	})
}

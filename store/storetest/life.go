package storetest

import (
	"errors"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

const (
	day = 24 * time.Hour

	// tooShort is how much less than its TTL an item may live.
	tooShort = time.Second
)

func lifeRows() []row {
	return []row{
		{name: "forever", rule: "Forever is an item that does not expire; its time left is Forever", check: func(t *trial) {
			s := t.stopwatch()
			t.mustPut("k", store.Item{Value: []byte("value"), TTL: store.Forever})
			t.wantTTL(s, "k", store.Forever)
		}},

		{name: "negative-ttl", rule: "A TTL below zero is Forever, in Put and in Touch", check: func(t *trial) {
			s := t.stopwatch()
			for i, ttl := range []time.Duration{-1, -time.Millisecond, -time.Second, -time.Hour, -100 * 365 * day} {
				t.mustPut("k", store.Item{TTL: ttl})
				t.wantTTL(s, "k", store.Forever)
				t.mustPut("k", store.Item{TTL: time.Duration(i+1) * time.Hour})
				t.mustTouch("k", ttl)
				t.wantTTL(s, "k", store.Forever)
			}
		}},

		{name: "long-ttl", rule: "A TTL around and above 30 days is neither a date nor the end of the item", check: func(t *trial) {
			for _, ttl := range []time.Duration{
				30*day - time.Second, 30 * day, 30*day + time.Second, 31 * day, 365 * day, 100 * 365 * day, 1<<63 - 1,
			} {
				s := t.stopwatch()
				v := t.mustPut("put", store.Item{Value: []byte("value"), TTL: ttl})
				t.wantTTL(s, "put", ttl)
				t.wantStored("put", store.Item{Value: []byte("value")}, v)

				t.mustPut("touch", text("value"))
				s = t.stopwatch()
				t.mustTouch("touch", ttl)
				t.wantTTL(s, "touch", ttl)
			}
		}},

		{name: "ttl-counts-down", waits: true, rule: "The TTL that Get returns is the time left", check: func(t *trial) {
			s := t.stopwatch()
			t.mustPut("k", store.Item{TTL: time.Minute})
			stored := t.stopwatch()
			time.Sleep(2*time.Second + t.Granularity)
			asked := stored.elapsed()
			left := t.mustGet("k", store.Head).TTL
			t.wantLeft(s, "k", left, time.Minute)
			if most := time.Minute - asked + t.Granularity + t.late; left > most {
				t.Errorf("%v left of a minute, %v after it was given: want at most %v", left, asked, most)
			}
		}},

		{name: "item-lives-out-its-ttl", waits: true, rule: "An item never lives shorter than its TTL by more than one second", check: func(t *trial) {
			s := t.stopwatch()
			t.mustPut("k", store.Item{TTL: 3 * time.Second})
			time.Sleep(1900 * time.Millisecond)
			_, err := t.Store.Get(t.Context(), t.key("k"), store.Head)
			if err != nil && s.elapsed() < 3*time.Second-tooShort {
				t.Errorf("Get %v after a Put with a TTL of 3 s: %v", s.elapsed(), err)
			}
		}},

		{name: "item-expires", waits: true, rule: "An expired item is absent: for Get, Put, Touch and Delete", check: func(t *trial) {
			v := t.mustPut("k", store.Item{TTL: time.Second})
			t.mustPut("new", store.Item{TTL: time.Second})
			time.Sleep(time.Second + t.Granularity)
			t.wantEnded("k")
			t.wantEnded("new")
			_, err := t.Store.Touch(t.Context(), t.key("k"), time.Hour)
			t.wantErr("Touch", err, store.ErrNotFound)
			t.wantErr("Put at its version", t.put("k", text("late"), v), store.ErrConflict)
			t.mustDelete("k", v)
			t.mustDelete("k", store.Any)
			t.wantAbsent("k")
			t.mustPutAt("new", text("new"), store.Absent)
		}},

		{name: "shortest-ttl", waits: true, rule: "A TTL of less than a tick is neither Forever nor an error", check: func(t *trial) {
			for name, ttl := range map[string]time.Duration{"ns": 1, "ms": time.Millisecond, "half": 500 * time.Millisecond} {
				t.mustPut(name, store.Item{TTL: ttl})
				t.mustPut(name+"-touched", text("value"))
				t.mustTouch(name+"-touched", ttl)
			}
			time.Sleep(time.Second + t.Granularity)
			for _, name := range []string{"ns", "ms", "half"} {
				t.wantEnded(name)
				t.wantEnded(name + "-touched")
			}
		}},

		{name: "put-sets-the-end", waits: true, rule: "A Put over an item with less time left gives it its own time", check: func(t *trial) {
			v := t.mustPut("k", store.Item{TTL: time.Second})
			v = t.mustPutAt("k", text("value"), v)
			time.Sleep(time.Second + t.Granularity)
			t.wantStored("k", text("value"), v)
		}},

		{name: "touch-sets-the-end", waits: true, rule: "A touched item lives on past its former end, or ends before it", check: func(t *trial) {
			item := store.Item{Value: []byte("value"), Flags: 7, TTL: time.Second}
			longer := t.mustPut("longer", item)
			t.mustTouch("longer", time.Hour)
			forever := t.mustPut("forever", item)
			t.mustTouch("forever", store.Forever)
			t.mustPut("shorter", text("value"))
			t.mustTouch("shorter", time.Second)
			time.Sleep(time.Second + t.Granularity)
			t.wantStored("longer", item, longer)
			t.wantStored("forever", item, forever)
			t.wantEnded("shorter")
		}},

		{name: "reading-does-not-prolong", waits: true, rule: "Reading an item does not make it live longer", check: func(t *trial) {
			t.mustPut("k", store.Item{TTL: time.Second})
			end := time.Now().Add(time.Second + t.Granularity)
			for time.Now().Before(end) {
				if _, err := t.Store.Get(t.Context(), t.key("k"), store.Whole); err != nil && !errors.Is(err, store.ErrNotFound) {
					t.Fatalf("Get: %v", err)
				}
				time.Sleep(100 * time.Millisecond)
			}
			t.wantEnded("k")
		}},
	}
}

// wantEnded reports an item that lives on though its time has passed. Where time
// is real the clock of a server may be late, when the machine is busy.
func (t *trial) wantEnded(name string) {
	t.Helper()
	for s := t.stopwatch(); s.elapsed() < t.late; time.Sleep(100 * time.Millisecond) {
		if _, err := t.Store.Get(t.Context(), t.key(name), store.Head); errors.Is(err, store.ErrNotFound) {
			break
		}
	}
	t.wantAbsent(name)
}

// A stopwatch tells how long ago a TTL was given at most.
type stopwatch struct{ start time.Time }

func (t *trial) stopwatch() stopwatch      { return stopwatch{time.Now()} }
func (s stopwatch) elapsed() time.Duration { return time.Since(s.start) }

// wantTTL reports a wrong time left of the item under name, that was given ttl
// after s was started.
func (t *trial) wantTTL(s stopwatch, name string, ttl time.Duration) {
	t.Helper()
	t.wantLeft(s, name, t.mustGet(name, store.Head).TTL, ttl)
	t.wantLeft(s, name, t.mustGet(name, store.Whole).TTL, ttl)
}

func (t *trial) wantLeft(s stopwatch, name string, got, ttl time.Duration) {
	t.Helper()
	if got == store.Forever && (ttl == store.Forever || ttl > 30*day-tooShort) {
		return // a server may have no way to hold a TTL so long
	}
	least, most := ttl-s.elapsed()-tooShort, ttl+min(t.Granularity, 1<<63-1-ttl)
	if got <= 0 || ttl == store.Forever || got < least || got > most {
		t.Errorf("TTL of %s: %v left of %v, %v after it was given", name, got, ttl, s.elapsed())
	}
}

package placement_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A ticking store counts seconds as memcached does: items end when its clock ticks, and
// it tells the ticks until then. Its clock ticks late after the second, by phase.
type ticking struct {
	store.Store
	phase time.Duration
}

func (s ticking) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	item, err := s.Store.Get(ctx, key, part)
	item.TTL = ticks(item.TTL)
	return item, err
}

func (s ticking) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	item.TTL = s.counted(item.TTL)
	return s.Store.Put(ctx, key, item, at)
}

func (s ticking) Touch(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
	return s.Store.Touch(ctx, key, s.counted(ttl))
}

func (s ticking) counted(ttl time.Duration) time.Duration {
	sinceTick := time.Duration(time.Now().Add(-s.phase).Nanosecond())
	return ticks(ttl) - sinceTick
}

func ticks(ttl time.Duration) time.Duration { return (ttl + tick - 1).Truncate(tick) }

// One node after the other loses the session and gets it again, from the one that has it,
// by a server that has used it, or by one that only knows the record.
func TestToWriteASessionAgainChangesNoLife(t *testing.T) {
	minute, half := 80*time.Second, 30*time.Minute
	for _, c := range []struct {
		by    string
		idles []time.Duration
		used  []float64 // after which part of its idle timeout
	}{
		{"its server", []time.Duration{6 * time.Second, 40 * time.Second, minute, half}, []float64{0, 1. / 15, .5}},
		{"another", []time.Duration{minute, half}, []float64{0}},
	} {
		for _, idle := range c.idles {
			for _, used := range c.used {
				for _, phase := range []time.Duration{0, 300 * time.Millisecond, 900 * time.Millisecond} {
					t.Run(fmt.Sprintf("by %s, idle %v, used after %.2f of it, phase %v", c.by, idle, used, phase), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							writeAgain(t, idle, time.Duration(used*float64(idle)), phase, c.by == "its server")
						})
					})
				}
			}
		}
	}
}

func writeAgain(t *testing.T, idle, used, phase time.Duration, known bool) {
	all := newNodes(2)
	c, err := placement.New([]store.Node{
		{Name: "n1", Store: ticking{all[0].Client("app"), 0}},
		{Name: "n2", Store: ticking{all[1].Client("app"), phase}},
	}, placement.Options{Codec: newCodec(t), Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	commit(t, c, id, nil, settings(idle, time.Time{}))
	if used > 0 {
		time.Sleep(used)
		load(t, c, id)
	}
	last := time.Now()
	lastKnown := time.Unix(0, 0)
	if known {
		lastKnown = last
	}
	for i := 0; time.Since(last) < idle-idle/9; i++ {
		time.Sleep(idle / 9)
		all[i%2].Evict(key(id))
		if _, err := c.LookAt(t.Context(), key(id), "", lastKnown); err != nil {
			t.Fatalf("%v after its last use: %v", time.Since(last), err)
		}
	}
	time.Sleep(time.Until(last.Add(idle + placement.Grain(idle) + 2*tick)))
	wantUnfound(t, c, id)
}

// A session is stored again by a server that had it in memory, where the nodes have nothing
// or an older copy.
func TestASessionStoredAgainLivesAsItsRecordSays(t *testing.T) {
	for _, c := range []struct {
		name     string
		older    time.Duration // the idle timeout of what is there; -1: nothing
		idle     time.Duration
		deadline time.Duration
		unused   time.Duration
	}{
		{"until its deadline", -1, 0, 8 * time.Hour, 20 * time.Minute},
		{"now without an end", 30 * time.Minute, 0, 0, 20 * time.Minute},
		{"now longer than an item can", 30 * time.Minute, 60 * day, 0, 20 * time.Minute},
		{"now for hours", 30 * time.Minute, 10 * time.Hour, 0, 20 * time.Minute},
		{"used since", 30 * time.Minute, 30 * time.Minute, 0, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFaulty()
				cl := newCluster(t, s)
				var deadline time.Time
				if c.deadline > 0 {
					deadline = time.Now().Add(c.deadline)
				}
				if c.older >= 0 {
					commit(t, cl, id, nil, settings(c.older, time.Time{}))
				}
				again := settings(c.idle, deadline)
				again.Unused = true
				change := again.Apply
				time.Sleep(20 * time.Minute)
				last := time.Now().Add(-c.unused)
				again.Apply = func(r *record.Record) error {
					r.LastAccessed = last
					return change(r)
				}
				v := commit(t, cl, id, nil, again) // what is there is found meanwhile
				want := v.Record.TTL
				if want != store.Forever && c.idle > 0 {
					want -= c.unused
				}
				if got := timeLeft(t, s, key(id)); got != want {
					t.Errorf("the item has %v left of %v, want %v", got, v.Record.TTL, want)
				}
			})
		})
	}
}

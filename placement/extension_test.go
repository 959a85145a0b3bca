package placement_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A read extends the life behind itself, by the time to live of the record that
// it saw. Meanwhile another request may set another idle timeout:
//
//	A reads (30 min); B commits (10 h); A's extension sets 30 min
//
// and the item looks as if nobody had used it for 9.5 h, or, if B made it last
// for ever, is gone after 30 min. If B made it shorter, it lives too long.
func TestExtensionNeverSetsTheLifeOfAnEarlierRecord(t *testing.T) {
	const before = 30 * time.Minute
	for _, after := range []time.Duration{10 * time.Hour, 60 * day, 0, time.Minute, before} {
		t.Run(fmt.Sprintf("%v to %v", before, after), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				everyRun(t, 1, func(d *director) { playExtension(t, d, before, after) })
			})
		})
	}
}

// everyRun calls play with a director for each run there is.
func everyRun(t *testing.T, faults int, play func(*director)) {
	t.Helper()
	all := &choices{}
	for run := 0; ; run++ {
		d := &director{faults: faults, choose: all.choose}
		play(d)
		if t.Failed() {
			t.Fatalf("in run %d:\n%s", run, d.story())
		}
		if !all.another() {
			return
		}
	}
}

func playExtension(t *testing.T, d *director, before, after time.Duration) {
	d.store = newFaulty()
	cl := openCluster(t, d.store, newCodec(t))
	defer cl.Close()
	base := commit(t, cl, id, nil, settings(before, time.Time{}))
	time.Sleep(before / 2)

	var told, found error
	d.play(t.Context(), map[string]func(context.Context){
		"reader":        func(ctx context.Context) { _, _ = cl.Load(ctx, id, "") },
		"second reader": func(ctx context.Context) { _, found = cl.Load(ctx, id, "") },
		"other": func(ctx context.Context) {
			_, told = cl.Commit(ctx, id, base, settings(after, time.Time{}))
		},
	})
	if faulty := d.faults == 0; faulty { // the next read finds out and repairs it
		d.store.landAll()
		load(t, cl, id)
		synctest.Wait()
	} else if told != nil || found != nil {
		t.Errorf("a session in use was not found: %v, %v", told, found)
	}
	r := mustBeStored(t, d.store, key(id))
	if got := timeLeft(t, d.store, key(id)); got != r.TTL {
		t.Errorf("the item has %v left, its record says %v", got, r.TTL)
	}
	if got := d.store.count("touch"); after == before && d.faults > 0 && got > 1 {
		t.Errorf("%d extensions, and the time to live never changed", got)
	}
}

// The same with a session that ended meanwhile.
func TestExtensionLeavesTombstonesAndAliasesTheirLife(t *testing.T) {
	for name, end := range map[string]func(context.Context, store.Backend, *store.View) error{
		"destroyed": func(ctx context.Context, c store.Backend, v *store.View) error { return c.Destroy(ctx, v) },
		"renewed": func(ctx context.Context, c store.Backend, v *store.View) error {
			_, err := c.Commit(ctx, id, v, renewal("r", newID))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				everyRun(t, 0, func(d *director) {
					d.store = newFaulty()
					cl := openCluster(t, d.store, newCodec(t))
					defer cl.Close()
					base := commit(t, cl, id, nil, settings(30*time.Minute, time.Time{}))
					time.Sleep(20 * time.Minute)
					d.play(t.Context(), map[string]func(context.Context){
						"reader": func(ctx context.Context) { _, _ = cl.Load(ctx, id, "") },
						"other": func(ctx context.Context) {
							if err := end(ctx, cl, base); err != nil {
								t.Error(err)
							}
						},
					})
					r := mustBeStored(t, d.store, key(id))
					if got := timeLeft(t, d.store, key(id)); r.Kind == record.Session || got != r.TTL {
						t.Errorf("kind %d has %v left, want %v", r.Kind, got, r.TTL)
					}
				})
			})
		})
	}
}

// An extension may be frozen with its server, and happen long after its sender
// gave it up: then the next read repairs it, and does not believe it.
func TestForeignTimeToLiveIsNotBelievedAndRepaired(t *testing.T) {
	for _, c := range []struct{ idle, foreign time.Duration }{
		{10 * time.Hour, 30 * time.Minute},
		{60 * day, 30 * time.Minute},
		{0, 30 * time.Minute},
		{time.Minute, 10 * time.Hour},
		{time.Minute, store.Forever},
	} {
		t.Run(fmt.Sprintf("%v gets %v", c.idle, c.foreign), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFaulty()
				cl := newCluster(t, s)
				v := commit(t, cl, id, nil, settings(c.idle, time.Time{}))
				touch(t, s, c.foreign)
				time.Sleep(20 * time.Second)
				load(t, cl, id)
				synctest.Wait()
				if got := timeLeft(t, s, key(id)); got != v.Record.TTL {
					t.Errorf("the item has %v left, want %v", got, v.Record.TTL)
				}
				if c.idle == time.Minute {
					touch(t, s, c.foreign)
					time.Sleep(5 * time.Minute)
					wantGone(t, cl, record.Idle, true)
				}
			})
		})
	}
}

func touch(t *testing.T, s store.Store, ttl time.Duration) {
	t.Helper()
	if _, err := s.Touch(t.Context(), key(id), ttl); err != nil {
		t.Fatal(err)
	}
}

package sticky_test

import (
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
)

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

package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func parallelRows() []row {
	return []row{
		{name: "increments", rule: "Of writes at the same version one happens: parallel increments lose nothing", check: func(t *trial) {
			t.mustPut("k", text("0"))
			together(8, func(int) {
				for range 12 {
					t.increment("k")
				}
			})
			if got := t.mustGet("k", store.Whole).Value; string(got) != "96" {
				t.Errorf("after 96 increments: %s", got)
			}
		}},

		{name: "one-creates", rule: "Of parallel Puts at Absent exactly one creates the item, the others are ErrConflict", check: func(t *trial) {
			for round := range 5 {
				name := fmt.Sprint("k", round)
				var created atomic.Int32
				together(8, func(i int) {
					switch err := t.put(name, text(fmt.Sprint(i)), store.Absent); {
					case err == nil:
						created.Add(1)
					case !errors.Is(err, store.ErrConflict):
						t.Errorf("Put at Absent: %v", err)
					}
				})
				if n := created.Load(); n != 1 {
					t.Errorf("%d of 8 parallel Puts at Absent created the item", n)
				}
			}
		}},

		{name: "one-deletes", rule: "A Put and a Delete at the same version: one of them happens", check: func(t *trial) {
			for round := range 10 {
				name := fmt.Sprint("k", round)
				v := t.mustPut(name, text("old"))
				var errs [2]error
				together(2, func(i int) {
					// First the one comes earlier, then both come together, then the other.
					time.Sleep(time.Duration(round*(1-i)+(9-round)*i) * 100 * time.Microsecond)
					if i == 0 {
						errs[i] = t.put(name, text("new"), v)
					} else {
						errs[i] = t.del(name, v)
					}
				})
				_, err := t.Store.Get(t.Context(), t.key(name), store.Head)
				switch {
				case errs[0] == nil && errs[1] != nil && err == nil:
				case errs[0] != nil && errs[1] == nil && errors.Is(err, store.ErrNotFound):
				default:
					t.Errorf("Put: %v, Delete: %v, Get afterwards: %v", errs[0], errs[1], err)
				}
			}
		}},

		{name: "one-state", rule: "Value, flags and version that one Get returns are of one Put", check: func(t *trial) {
			var mu sync.Mutex // guards flags
			flags := map[store.Version]uint32{}
			write := func(i uint32) {
				v := t.mustPut("k", store.Item{Value: fmt.Append(nil, i), Flags: i})
				mu.Lock()
				flags[v] = i
				mu.Unlock()
			}
			write(0)
			var reads []store.Item
			together(2, func(i int) {
				for n := range uint32(100) {
					if i == 0 {
						write(n + 1)
					} else if item, err := t.Store.Get(t.Context(), t.key("k"), store.Whole); err == nil {
						reads = append(reads, item)
					}
					time.Sleep(time.Microsecond) // lets the other one run
				}
			})
			for _, item := range reads {
				if want := flags[item.Version]; item.Flags != want || string(item.Value) != fmt.Sprint(want) {
					t.Errorf("flags %d and value %q with the version of Put %d", item.Flags, item.Value, want)
				}
			}
		}},
	}
}

// increment adds one to the number stored under name, by compare-and-set.
func (t *trial) increment(name string) {
	ctx := t.Context()
	for {
		item, err := t.Store.Get(ctx, t.key(name), store.Whole)
		if err != nil {
			t.Errorf("Get: %v", err)
			return
		}
		n, err := strconv.Atoi(string(item.Value))
		if err != nil {
			t.Errorf("value: %v", err)
			return
		}
		time.Sleep(time.Microsecond) // lets another one read the same number, in fake time too
		item.Value = strconv.AppendInt(nil, int64(n+1), 10)
		_, err = t.Store.Put(ctx, t.key(name), item, item.Version)
		if err == nil {
			return
		}
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("Put: %v", err)
			return
		}
	}
}

// together runs do(0) to do(n-1) in goroutines of their own and waits for them.
func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; do(i) })
	}
	close(start)
	wg.Wait()
}

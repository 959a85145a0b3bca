package measure

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// A Tally is what clients did.
type Tally struct {
	Requests int
	P50      time.Duration // of the time that one took
}

// InTurns calls each of the functions again and again with 0, 1, 2, all at once.
func InTurns(clients []func(n int) error, d time.Duration) (Tally, error) {
	end := time.Now().Add(d)
	counts, errs, waits := make([]int, len(clients)), make([]error, len(clients)), make([][]time.Duration, len(clients))
	var wg sync.WaitGroup
	for i, call := range clients {
		wg.Go(func() { counts[i], waits[i], errs[i] = callUntil(end, call) })
	}
	wg.Wait()
	var t Tally
	for _, n := range counts {
		t.Requests += n
	}
	t.P50 = Median(slices.Concat(waits...))
	return t, errors.Join(errs...)
}

// clockEvery is how many calls share one look at the clock, which takes a good part of
// what the smallest of them takes.
const clockEvery = 4

func callUntil(end time.Time, call func(n int) error) (n int, waits []time.Duration, err error) {
	for {
		start := time.Now()
		if start.After(end) {
			return n, waits, nil
		}
		for range clockEvery {
			if err := call(n); err != nil {
				return n, waits, err
			}
			n++
		}
		waits = append(waits, time.Since(start)/clockEvery)
	}
}

// Median is the zero value for none.
func Median[T ~int64 | ~float64](all []T) (m T) {
	if len(all) == 0 {
		return m
	}
	slices.Sort(all)
	return all[len(all)/2]
}

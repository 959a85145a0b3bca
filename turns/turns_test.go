package turns_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/turns"
)

func TestWhoComesFirstGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all turns.Turns
		var order []int
		all.Take(t.Context(), "a")
		for i := range 5 {
			go func() {
				all.Take(t.Context(), "a")
				order = append(order, i)
				all.Give("a")
			}()
			synctest.Wait()
		}
		all.Give("a")
		synctest.Wait()
		if want := []int{0, 1, 2, 3, 4}; !slices.Equal(order, want) {
			t.Errorf("turns came in the order %v, want %v", order, want)
		}
	})
}

func TestWhoStopsWaitingLeavesTheTurnToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all turns.Turns
		all.Take(t.Context(), "a")
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if all.Take(short, "a") {
			t.Error("two have the turn at once")
		}
		if !all.Take(t.Context(), "b") {
			t.Error("another key had to wait")
		}
		all.Give("a")
		if !all.Take(t.Context(), "a") {
			t.Error("the turn was lost with the one who stopped waiting")
		}
	})
}

package memcachedstore

import (
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func TestWholeSeconds(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		ttl  time.Duration
		want int64
	}{
		{store.Forever, 0},
		{-1, 0},
		{-time.Hour, 0},
		{1, 1},
		{time.Second - 1, 1},
		{time.Second, 1},
		{time.Second + 1, 2},
		{30*day - 1, 30 * 86400},
		{30 * day, 30 * 86400},
		{30*day + 1, 0},
		{1<<63 - 1, 0},
	} {
		if got := wholeSeconds(tc.ttl); got != tc.want {
			t.Errorf("wholeSeconds(%v): got %d, want %d", tc.ttl, got, tc.want)
		}
	}
}

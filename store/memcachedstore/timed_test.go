package memcachedstore

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// parts is a context that must not be waited for: its time and the rest of it are
// known apart.
type parts struct {
	context.Context
	at time.Time
}

func (p parts) Deadline() (time.Time, bool) { return p.at, true }
func (p parts) Outer() context.Context      { return p.Context }
func (p parts) Done() <-chan struct{}       { panic("somebody waits for Done") }

func TestCallEndsWithBothPartsOfItsContext(t *testing.T) {
	for name, end := range map[string]struct {
		limit, cancel time.Duration
		want          error
	}{
		"its time comes":      {50 * time.Millisecond, time.Hour, context.DeadlineExceeded},
		"the rest of it ends": {time.Hour, 50 * time.Millisecond, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newFake(t)
				s := connected(t, server)
				server.slow = func() { time.Sleep(time.Minute) }
				rest, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(end.cancel, cancel)
				began := time.Now()
				_, err := s.Get(parts{rest, began.Add(end.limit)}, "k", store.Whole)
				checkErr(t, err, []error{store.ErrUnavailable, end.want})
				if took := time.Since(began); took != 50*time.Millisecond {
					t.Errorf("took %v, want 50ms", took)
				}
			})
		})
	}
}

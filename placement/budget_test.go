package placement_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func TestEverythingEndsWithItsContextWhenTheNodeHangs(t *testing.T) {
	for first := range 4 { // operations that are answered before it hangs
		t.Run(fmt.Sprint(first, " answered"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFaulty()
				c := newCluster(t, s)
				base := create(t, c, id)
				commit(t, c, id, base, increment("b")) // so that all meet a conflict at first
				answered := 0
				s.meet = func(ctx context.Context, op operation) fate {
					if answered++; answered <= first {
						return happens
					}
					<-ctx.Done()
					return late
				}
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				before := time.Now()
				_, err := c.Commit(ctx, id, base, renewal("r", newID))
				wantError(t, "Commit", err, store.ErrUnavailable)
				if waited := time.Since(before); waited != timeout {
					t.Errorf("it took %v, want %v", waited, timeout)
				}
			})
		})
	}
}

func TestEachCallEndsWithItsContextWhenTheNodeHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := newCluster(t, s)
		base := create(t, c, id)
		s.meet = func(ctx context.Context, op operation) fate {
			<-ctx.Done()
			return refused
		}
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		before := time.Now()
		for name, err := range use(ctx, c, base) {
			wantError(t, name, err, store.ErrUnavailable)
		}
		if waited := time.Since(before); waited != timeout {
			t.Errorf("all together took %v, want %v", waited, timeout)
		}
	})
}

// A store that always gives the same answer at once: whoever works on it ends
// soon after the context does, and says what that answer leaves open.
func TestStoreThatAlwaysFailsIsNotAskedAfterTheContextEnded(t *testing.T) {
	const enough = 1000 // operations, then the context ends
	for always, unknown := range map[fate]bool{collides: false, refused: false, writeLost: true, answerLost: true} {
		t.Run(string(always), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFaulty()
				s.heedless = true
				c := newCluster(t, s)
				base := create(t, c, id)
				for name, act := range map[string]func(context.Context) error{
					"commit": func(ctx context.Context) error {
						_, err := c.Commit(ctx, id, base, increment("a"))
						return err
					},
					"creation": func(ctx context.Context) error {
						_, err := c.Commit(ctx, otherNewID, nil, increment("a"))
						return err
					},
					"renewal": func(ctx context.Context) error {
						_, err := c.Commit(ctx, id, base, renewal("r", newID))
						return err
					},
					"destruction": func(ctx context.Context) error { return c.Destroy(ctx, base) },
				} {
					ctx, cancel := context.WithCancel(t.Context())
					asked := 0
					s.meet = func(_ context.Context, op operation) fate {
						if asked++; asked == enough {
							cancel()
						}
						if op.writes() {
							return always
						}
						return happens
					}
					err := act(ctx)
					cancel()
					s.meet = nil
					if asked > enough+2 {
						t.Errorf("%s: %d operations after the context ended", name, asked-enough)
					}
					if always == answerLost { // a READ finds that it happened
						continue
					}
					wantError(t, name, err, store.ErrUnavailable)
					unknown := unknown && name != "renewal" // which never gets as far as the alias
					if errors.Is(err, store.ErrUnknownOutcome) != unknown || errors.Is(err, store.ErrConflict) {
						t.Errorf("%s: got %v; want that its outcome is unknown: %t", name, err, unknown)
					}
				}
			})
		})
	}
}

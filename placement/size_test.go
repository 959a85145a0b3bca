package placement_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// fill returns a change that sets attributes of so many bytes.
func fill(sizes map[string]int) *store.Change {
	return change(func(r *record.Record) {
		for name, size := range sizes {
			r.Set(record.Attribute{Name: name, Value: make([]byte, size)})
		}
	})
}

func smallStore() *faulty {
	s := newFaulty()
	s.Store = memorystore.New(&memorystore.Options{MaxItem: 4096})
	return s
}

func TestTooLargeSessionStaysAsItWas(t *testing.T) {
	for name, renewTo := range map[string]string{"commit": "", "renewal": newID} {
		t.Run(name, func(t *testing.T) {
			s := smallStore()
			c := newCluster(t, s)
			base := commit(t, c, id, nil, fill(map[string]int{"cart": 1000}))
			before := s.count("")
			ch := fill(map[string]int{"history": 3000, "photo": 2000, "tiny": 7})
			ch.RenewTo = renewTo
			_, err := c.Commit(t.Context(), id, base, ch)
			wantTooLarge(t, err)
			if got := s.count("") - before; got != 1 {
				t.Errorf("%d operations, want 1", got)
			}
			if v := load(t, c, id); v.Record.Revision != 1 || s.Len() != 1 {
				t.Errorf("the store has revision %d in %d items, want 1 and 1", v.Record.Revision, s.Len())
			}
			commit(t, c, id, base, increment("a"))
		})
	}
}

func wantTooLarge(t *testing.T, err error) {
	t.Helper()
	wantError(t, "Commit", err, store.ErrTooLarge)
	size, ok := errors.AsType[*store.SizeError](err)
	if !ok || size.Limit != 4096 || size.Size < 6007 {
		t.Errorf("it does not tell size and limit: %v", err)
	}
	if errors.Is(err, store.ErrUnavailable) {
		t.Errorf("it says that trying again might help: %v", err)
	}
	want := `"history" 3000 bytes, "photo" 2000 bytes, "cart" 1000 bytes`
	if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "tiny") || !strings.Contains(err.Error(), nodeName) {
		t.Errorf("got %q, want the node and the largest attributes: %s", err, want)
	}
}

func TestTooLargeSessionIsNotBegun(t *testing.T) {
	s := smallStore()
	_, err := newCluster(t, s).Commit(t.Context(), id, nil, fill(map[string]int{"photo": 5000}))
	wantError(t, "Commit", err, store.ErrTooLarge)
	if s.Len() != 0 {
		t.Errorf("%d items were stored", s.Len())
	}
}

// The newer record that a change meets may have grown, so that both together are
// too large, and what a renewal has written already goes away again.
func TestTooLargeTogetherWithTheChangeOfAnother(t *testing.T) {
	for name, renewTo := range map[string]string{"commit": "", "renewal": newID} {
		t.Run(name, func(t *testing.T) {
			s := smallStore()
			c := newCluster(t, s)
			base := create(t, c, id)
			commit(t, c, id, base, fill(map[string]int{"a": 3000}))
			ch := fill(map[string]int{"b": 3000})
			ch.RenewTo = renewTo
			_, err := c.Commit(t.Context(), id, base, ch)
			wantError(t, "Commit", err, store.ErrTooLarge)
			if r := load(t, c, id).Record; r.Revision != 2 || s.Len() != 1 {
				t.Errorf("the store has revision %d in %d items, want 2 and 1", r.Revision, s.Len())
			}
		})
	}
}

// A full memcached may drop the item that was to be replaced. Whatever it did,
// asking again at once only fills it more.
func TestFullServerIsNotAskedAgain(t *testing.T) {
	for name, act := range map[string]func(context.Context, *placement.Cluster, *store.View) error{
		"commit": func(ctx context.Context, c *placement.Cluster, v *store.View) error {
			_, err := c.Commit(ctx, id, v, increment("a"))
			return err
		},
		"creation": func(ctx context.Context, c *placement.Cluster, _ *store.View) error {
			_, err := c.Commit(ctx, newID, nil, increment("a"))
			return err
		},
		"renewal": func(ctx context.Context, c *placement.Cluster, v *store.View) error {
			_, err := c.Commit(ctx, id, v, renewal("r", newID))
			return err
		},
		"destruction": func(ctx context.Context, c *placement.Cluster, v *store.View) error { return c.Destroy(ctx, v) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newFaulty()
			c := newCluster(t, s)
			v := create(t, c, id)
			before := s.count("")
			s.meet = func(context.Context, operation) fate { return full }
			err := act(t.Context(), c, v)
			wantError(t, name, err, store.ErrFull)
			wantError(t, name, err, store.ErrUnavailable)
			if got := s.count("") - before; got != 1 || errors.Is(err, store.ErrUnknownOutcome) {
				t.Errorf("%d operations, want 1; error %v", got, err)
			}
		})
	}
}

package storetest

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// patience is how long a row waits for what must end soon.
const patience = 20 * time.Second

func failureRows() []row {
	return []row{
		{name: "cancelled-context", rule: "A call ends soon after its context, with ErrUnavailable; it has not happened unless the error is ErrUnknownOutcome; the next call works", check: func(t *trial) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			t.withDeadContext(ctx)
		}},

		{name: "passed-deadline", rule: "A call whose deadline has passed ends as one with a cancelled context", check: func(t *trial) {
			ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
			defer cancel()
			t.withDeadContext(ctx)
		}},

		{name: "cancelled-halfway", rule: "Calls that are cancelled at any moment disturb no others", check: func(t *trial) {
			v := t.mustPut("k", text("value"))
			together(8, func(i int) {
				for n := range 20 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*n)*5*time.Microsecond)
					item, err := t.Store.Get(ctx, t.key("k"), store.Whole)
					cancel()
					switch {
					case err == nil && (string(item.Value) != "value" || item.Version != v):
						t.Errorf("Get: another item: %+v", item)
					case err != nil && !errors.Is(err, store.ErrUnavailable):
						t.Errorf("Get: %v, want %q", err, store.ErrUnavailable)
					}
				}
			})
			t.wantStored("k", text("value"), v)
		}},

		{name: "closed", rule: "After Close every call is ErrClosed, which is ErrUnavailable; closing again does no harm", check: func(t *trial) {
			closer, ok := t.Store.(io.Closer)
			if !ok {
				t.Skip("the store cannot be closed")
			}
			v := t.mustPut("k", text("value"))
			for range 2 {
				if err := closer.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
			for verb, err := range t.callAll(t.Context(), "k", v) {
				t.wantErr(verb, err, store.ErrClosed)
				t.wantErr(verb, err, store.ErrUnavailable)
			}
		}},
	}
}

// withDeadContext makes every call with a context that has ended.
func (t *trial) withDeadContext(ctx context.Context) {
	t.Helper()
	v := t.mustPut("k", text("value"))
	began := time.Now()
	for verb, err := range t.callAll(ctx, "k", v) {
		t.wantErr(verb, err, store.ErrUnavailable)
		if verb != "Get" && errors.Is(err, store.ErrUnknownOutcome) {
			// It may happen later, and then what follows is not certain.
			t.Errorf("%s: %v: a call that begins with an ended context is not sent", verb, err)
		}
	}
	if took := time.Since(began); took > patience {
		t.Errorf("calls with an ended context took %v", took)
	}
	t.wantStored("k", text("value"), v)
}

// callAll makes each call that could change the item under name, and returns
// their errors.
func (t *trial) callAll(ctx context.Context, name string, at store.Version) map[string]error {
	key := t.key(name)
	_, get := t.Store.Get(ctx, key, store.Whole)
	_, head := t.Store.Get(ctx, key, store.Head)
	_, put := t.Store.Put(ctx, key, text("late"), at)
	_, touch := t.Store.Touch(ctx, key, time.Minute)
	del := t.Store.Delete(ctx, key, at)
	return map[string]error{"Get": get, "Head": head, "Put": put, "Touch": touch, "Delete": del}
}

package placement_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// A fate is what becomes of one operation of a faulty store.
type fate string

const (
	happens    fate = "happens"
	answerLost fate = "happens, its answer is lost"
	writeLost  fate = "is lost, so nobody knows"
	late       fate = "gets no answer and happens later"
	refused    fate = "is refused"
	full       fate = "meets a full server, which drops the item"
	collides   fate = "is said to conflict, and does not happen"
)

// An operation is one call of a faulty store.
type operation struct{ verb, key string }

func (o operation) writes() bool { return o.verb != "get" }

// A faulty is a store in memory each of whose operations has a fate.
type faulty struct {
	*memorystore.Store

	// meet decides about each operation, before it happens. It may wait, which
	// holds the operation up. nil: everything happens.
	meet func(context.Context, operation) fate

	heedless bool // what happens does so also when its context has ended

	mu   sync.Mutex
	seen []operation // guarded by mu
	late []func()    // guarded by mu; the writes that may still happen
}

func newFaulty() *faulty { return &faulty{Store: memorystore.New(nil)} }

func (f *faulty) Get(ctx context.Context, key string, part store.Part) (item store.Item, err error) {
	err = f.do(ctx, operation{"get", key}, func(ctx context.Context) error {
		item, err = f.Store.Get(ctx, key, part)
		return err
	})
	return item, err
}

func (f *faulty) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	item.Value = bytes.Clone(item.Value) // a late write is made of what was given
	var version store.Version
	err := f.do(ctx, operation{"put", key}, func(ctx context.Context) (err error) {
		version, err = f.Store.Put(ctx, key, item, at)
		return err
	})
	if err != nil {
		return store.Version{}, err
	}
	return version, nil
}

func (f *faulty) Touch(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
	var version store.Version
	err := f.do(ctx, operation{"touch", key}, func(ctx context.Context) (err error) {
		version, err = f.Store.Touch(ctx, key, ttl)
		return err
	})
	if err != nil {
		return store.Version{}, err
	}
	return version, nil
}

func (f *faulty) Delete(ctx context.Context, key string, at store.Version) error {
	return f.do(ctx, operation{"delete", key}, func(ctx context.Context) error {
		return f.Store.Delete(ctx, key, at)
	})
}

// most is how many operations a faulty takes before it is full: an end for a
// test of something that would never end.
const most = 100_000

// do gives op its fate.
func (f *faulty) do(ctx context.Context, op operation, effect func(context.Context) error) error {
	f.mu.Lock()
	f.seen = append(f.seen, op)
	tired := len(f.seen) > most
	f.mu.Unlock()
	fate := happens
	if f.meet != nil {
		fate = f.meet(ctx, op)
	}
	if tired {
		fate = full
	}
	always := context.WithoutCancel(ctx)
	switch fate {
	case answerLost:
		_ = effect(always)
		return unanswered(op)
	case writeLost:
		return unanswered(op)
	case late:
		f.hold(func() { _ = effect(always) })
		return unanswered(op)
	case refused:
		return fmt.Errorf("%w: refused", store.ErrUnavailable)
	case full:
		_ = f.Store.Delete(always, op.key, store.Any)
		return store.ErrFull
	case collides:
		return store.ErrConflict
	}
	if f.heedless {
		ctx = always
	}
	return effect(ctx)
}

func unanswered(op operation) error {
	if op.writes() {
		return fmt.Errorf("%w: no answer", store.ErrUnknownOutcome)
	}
	return fmt.Errorf("%w: no answer", store.ErrUnavailable)
}

func (f *faulty) hold(effect func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.late = append(f.late, effect)
}

// held returns how many writes may still happen.
func (f *faulty) held() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.late)
}

// land lets the held write number i happen.
func (f *faulty) land(i int) {
	f.mu.Lock()
	effect := f.late[i]
	f.late = append(f.late[:i:i], f.late[i+1:]...)
	f.mu.Unlock()
	effect()
}

func (f *faulty) landAll() {
	for f.held() > 0 {
		f.land(0)
	}
}

// count returns how often verb was called; "" counts all.
func (f *faulty) count(verb string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, op := range f.seen {
		if verb == "" || op.verb == verb {
			n++
		}
	}
	return n
}

// script gives the operations their fates in order; what comes after happens.
func script(fates ...fate) func(context.Context, operation) fate {
	var mu sync.Mutex
	return func(context.Context, operation) fate {
		mu.Lock()
		defer mu.Unlock()
		if len(fates) == 0 {
			return happens
		}
		next := fates[0]
		fates = fates[1:]
		return next
	}
}

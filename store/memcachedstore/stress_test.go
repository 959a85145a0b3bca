package memcachedstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

const (
	stressCalls = 9600            // of all writers, at least
	mostCalls   = 8 * stressCalls // for rare outcomes to happen
	wantEach    = 10              // calls of each outcome: with fewer the test does not test it
)

// Many goroutines, calls that are cancelled at any moment, connections that are
// cut at any moment, a server that hesitates. Each goroutine writes one key and
// reads all: a value under another key would show answers out of step, a value
// that cannot be would show a wrong word about the outcome of a write.
func TestStress(t *testing.T) {
	for name, tc := range map[string]struct {
		old, proxy bool
		writers    int // few: alone now, in company then
		pause      int // comes once in so many commands; a proxy gets fewer writes
	}{
		"meta":        {false, false, 24, 100},
		"classic":     {true, false, 24, 100},
		"proxy":       {true, true, 24, 20},
		"few":         {false, false, 2, 20},
		"few classic": {true, false, 2, 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newFake(t)
				server.old, server.proxy = tc.old, tc.proxy
				stress(t, server, tc.writers, tc.pause)
			})
		})
	}
}

func stress(t *testing.T, server *fake, writers, pause int) {
	server.slow = func() {
		if rand.N(pause) == 0 {
			time.Sleep(rand.N(3 * time.Millisecond))
		}
	}
	s := newStore(t, "fake:11211", &Options{Dial: server.dial, StallTimeout: 20 * time.Millisecond})
	var seen outcomes
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			w := &stressWriter{t: t, server: server, store: s, key: fmt.Sprint("key-", i), writers: writers, seen: &seen}
			if i%2 > 0 {
				w.store = heldUp{s}
			}
			w.run()
		})
	}
	wg.Wait()
	t.Logf("%d connections; %s", s.generation, seen.String())
	if !seen.enough() {
		t.Errorf("%s: want %d of each, else the test does not test it", seen.String(), wantEach)
	}
}

// heldUp starts its calls, and is now and then elsewhere before it waits.
type heldUp struct{ *Store }

func (s heldUp) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	p := s.StartGet(ctx, key, part)
	if p == nil {
		return s.Store.Get(ctx, key, part)
	}
	hesitate()
	return p.Wait(ctx)
}

func (s heldUp) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	p := s.StartPut(ctx, key, item, at)
	if p == nil {
		return s.Store.Put(ctx, key, item, at)
	}
	hesitate()
	written, err := p.Wait(ctx)
	return written.Version, err
}

func hesitate() {
	if rand.N(20) == 0 {
		time.Sleep(rand.N(3 * callerPatience))
	}
}

// outcomes counts what became of the calls.
type outcomes struct {
	done, conflict, unknown, unavailable atomic.Int64
}

func (o *outcomes) add(err error) {
	switch {
	case err == nil, errors.Is(err, store.ErrNotFound):
		o.done.Add(1)
	case errors.Is(err, store.ErrConflict):
		o.conflict.Add(1)
	case errors.Is(err, store.ErrUnknownOutcome):
		o.unknown.Add(1)
	default:
		o.unavailable.Add(1)
	}
}

func (o *outcomes) enough() bool {
	return min(o.done.Load(), o.conflict.Load(), o.unknown.Load(), o.unavailable.Load()) >= wantEach
}

func (o *outcomes) String() string {
	return fmt.Sprintf("%d done, %d conflicts, %d unknown, %d unavailable", o.done.Load(), o.conflict.Load(), o.unknown.Load(), o.unavailable.Load())
}

// A stressWriter is the only one who writes its key.
type stressWriter struct {
	t       *testing.T
	server  *fake
	store   store.Store
	key     string
	writers int
	seen    *outcomes

	written int             // values made
	sure    string          // what the last certain word said is stored; empty: nothing
	maybe   map[string]bool // writes since then that may have happened, or may yet
	at      store.Version   // of sure, or Absent
}

func (w *stressWriter) run() {
	w.maybe = map[string]bool{}
	for n := 0; n < stressCalls/w.writers || !w.seen.enough() && n < mostCalls/w.writers; n++ {
		if rand.N(500) == 0 {
			w.server.cut()
		}
		ctx, cancel := w.context()
		switch rand.N(4) {
		case 0:
			w.readOther(ctx)
		case 1:
			w.readOwn(ctx)
		default:
			w.write(ctx)
		}
		cancel()
	}
}

// context ends soon, at any moment or not at all.
func (w *stressWriter) context() (context.Context, context.CancelFunc) {
	switch rand.N(8) {
	case 0:
		ctx, cancel := context.WithCancel(w.t.Context())
		go cancel()
		return ctx, cancel
	case 1:
		return context.WithTimeout(w.t.Context(), rand.N(2*time.Millisecond))
	case 2:
		return w.t.Context(), func() {} // no deadline
	}
	return context.WithTimeout(w.t.Context(), time.Second)
}

func (w *stressWriter) readOther(ctx context.Context) {
	key := fmt.Sprint("key-", rand.N(w.writers))
	item, err := w.store.Get(ctx, key, store.Whole)
	w.seen.add(err)
	if err == nil && !strings.HasPrefix(string(item.Value), key+"=") {
		w.t.Errorf("get %s: %.40q, the value of another key", key, item.Value)
	}
	w.pause(err)
}

func (w *stressWriter) readOwn(ctx context.Context) {
	item, err := w.store.Get(ctx, w.key, store.Whole)
	w.seen.add(err)
	got := string(item.Value)
	switch {
	case errors.Is(err, store.ErrNotFound):
		item.Version = store.Absent
	case err != nil:
		w.pause(err)
		return
	}
	w.found(got, item.Version)
}

// found takes in what a read says. A write that was maybe is now certain, and
// then the others have lost: they named a version that is past.
func (w *stressWriter) found(got string, at store.Version) {
	switch {
	case got == w.sure:
		w.at = at
	case w.maybe[got]:
		w.certain(got, at)
	default:
		w.t.Errorf("%s: found %.40q, want %.40q or one of %d that may be", w.key, got, w.sure, len(w.maybe))
		w.certain(got, at)
	}
}

func (w *stressWriter) certain(value string, at store.Version) {
	w.sure, w.at = value, at
	clear(w.maybe)
}

func (w *stressWriter) write(ctx context.Context) {
	w.written++
	value := fmt.Sprintf("%s=%d%s", w.key, w.written, strings.Repeat(".", rand.N(3000)))
	v, err := w.store.Put(ctx, w.key, store.Item{Value: []byte(value), TTL: time.Hour}, w.at)
	w.seen.add(err)
	switch {
	case err == nil:
		w.certain(value, v)
	case errors.Is(err, store.ErrUnknownOutcome):
		w.maybe[value] = true
	case errors.Is(err, store.ErrConflict):
		w.readOwn(w.t.Context())
	}
	w.pause(err)
}

// pause lets the time pass in which calls fail at once.
func (w *stressWriter) pause(err error) {
	if err != nil && rand.N(4) == 0 {
		time.Sleep(firstPause)
	}
}

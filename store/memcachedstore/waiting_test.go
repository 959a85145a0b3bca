package memcachedstore

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// silent reads commands and answers none.
var silent = greeted(func(p *peer) { p.drain() })

func TestCallsEndWithTheirContext(t *testing.T) {
	for _, v := range []verb{get, head, put, touch, remove} {
		synctest.Test(t, func(t *testing.T) {
			s := scripted(t, Options{}, silent)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := s.do(ctx, request{verb: v, key: "k", at: store.Any})
			if took := time.Since(began); took != 300*time.Millisecond {
				t.Errorf("%v took %v", v, took)
			}
			checkErr(t, err, []error{store.ErrUnavailable, context.DeadlineExceeded})
			if got := errors.Is(err, store.ErrUnknownOutcome); got != v.writes() {
				t.Errorf("%v: %v: unknown outcome is %v", v, err, got)
			}
		})
	}
}

func TestCancelledCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{}, silent)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		err := s.Delete(ctx, "k", store.Any)
		checkErr(t, err, []error{store.ErrUnknownOutcome, context.Canceled}, context.DeadlineExceeded)
	})
}

func TestCallWithoutDeadlineEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{CallTimeout: time.Second, StallTimeout: time.Minute}, silent)
		began := time.Now()
		_, err := s.Touch(context.Background(), "k", time.Minute)
		checkErr(t, err, []error{store.ErrUnknownOutcome, context.DeadlineExceeded})
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v, want CallTimeout", took)
		}
		// The call and its timer are used again.
		began = time.Now()
		_, err = s.Get(context.Background(), "k", store.Whole)
		checkErr(t, err, []error{context.DeadlineExceeded}, store.ErrUnknownOutcome)
		if took := time.Since(began); took != time.Second {
			t.Errorf("the second call took %v, want CallTimeout", took)
		}
	})
}

func TestEndedContextSendsNothing(t *testing.T) {
	s := scripted(t, Options{}) // a dial would be refused
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Put(ctx, "k", store.Item{}, store.Any)
	checkErr(t, err, []error{store.ErrUnavailable, context.Canceled}, store.ErrUnknownOutcome, errRefused)
}

// The late answer is thrown away, and the calls behind get their own.
func TestStreamStaysInStepAfterAnAbandonedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{}, greeted(func(p *peer) {
			p.expect("mg slow v c f t O1")
			time.Sleep(time.Second)
			p.send("VA 4 c1 f0 t-1 O1\r\nslow\r\n")
			p.expect("mg quick v c f t O2")
			p.send("VA 5 c2 f0 t-1 O2\r\nquick\r\n")
			p.expect("mg third v c f t O3")
			p.send("VA 5 c3 f0 t-1 O3\r\nthird\r\n")
			p.drain()
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := s.Get(ctx, "slow", store.Whole)
		checkErr(t, err, []error{context.DeadlineExceeded})
		for _, key := range []string{"quick", "third"} {
			if item := mustGet(t, s, key); string(item.Value) != key || item.Version.Generation != 1 {
				t.Errorf("get %s: got %+v", key, item)
			}
		}
	})
}

// The server does not read, so the second command stays in the queue.
func TestQueuedCallThatIsGivenUpIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{StallTimeout: time.Minute}, greeted(func(p *peer) {
			time.Sleep(time.Second)
			p.expect("md first O1", "md third O2")
			p.send("HD O1\r\nHD O2\r\n")
			p.drain()
		}))
		var first, third error
		var wg sync.WaitGroup
		wg.Go(func() { first = s.Delete(t.Context(), "first", store.Any) })
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		value := []byte("mine again")
		_, err := s.Put(ctx, "second", store.Item{Value: value}, store.Any)
		checkErr(t, err, []error{store.ErrUnavailable, context.DeadlineExceeded}, store.ErrUnknownOutcome)
		clear(value) // the race detector sees it if anybody still reads

		wg.Go(func() { third = s.Delete(t.Context(), "third", store.Any) })
		wg.Wait()
		if first != nil || third != nil {
			t.Errorf("the calls around it: %v, %v", first, third)
		}
		time.Sleep(time.Hour)
		if _, _, cause := s.current.Load().obituary(); cause != nil {
			t.Errorf("the idle connection was given up: %v", cause)
		}
	})
}

// What was still queued when the connection died was not sent, whatever it is.
func TestQueuedCallsOfADeadConnectionAreNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{}, greeted(func(*peer) { time.Sleep(time.Second) }))
		var wg sync.WaitGroup
		wg.Go(func() {
			checkErr(t, s.Delete(t.Context(), "being-written", store.Any), []error{store.ErrUnknownOutcome})
		})
		synctest.Wait()
		for range 3 {
			wg.Go(func() {
				err := s.Delete(t.Context(), "queued", store.Any)
				checkErr(t, err, []error{store.ErrUnavailable}, store.ErrUnknownOutcome, context.DeadlineExceeded)
			})
		}
		wg.Wait()
	})
}

func TestQueuedCallsAreSentInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls, size = 50, 10 << 10
		var batches []int // bytes that came by one write
		s := scripted(t, Options{StallTimeout: time.Minute}, greeted(func(p *peer) {
			time.Sleep(time.Second)
			buf := make([]byte, 1<<20)
			for {
				n, err := p.Read(buf)
				if err != nil {
					return
				}
				batches = append(batches, n)
			}
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for range calls {
			wg.Go(func() {
				_, err := s.Put(ctx, "k", store.Item{Value: make([]byte, size)}, store.Any)
				checkErr(t, err, []error{store.ErrUnknownOutcome})
			})
		}
		wg.Wait()
		s.Close()
		synctest.Wait()
		// The first call was written alone.
		if most := 2 + calls*size/batchSize; len(batches) > most {
			t.Errorf("%d calls came in %d writes, want at most %d: %v", calls, len(batches), most, batches)
		}
		for _, n := range batches {
			if n > batchSize+size+100 {
				t.Errorf("a write of %d bytes", n)
			}
		}
	})
}

// The caller that writes must not be held by a server that does not read.
func TestBlockedWriteEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{StallTimeout: time.Minute}, greeted(func(p *peer) {
			p.line() // half of the command
			time.Sleep(time.Second)
			p.expect("value")
			p.send("HD c1 O1\r\n")
			p.expect("mg k c f t O2")
			p.send("EN O2\r\n")
			p.drain()
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := s.Put(ctx, "k", store.Item{Value: []byte("value")}, store.Any)
		checkErr(t, err, []error{store.ErrUnknownOutcome, context.DeadlineExceeded})
		if took := time.Since(began); took > 100*time.Millisecond+callerPatience {
			t.Errorf("took %v", took)
		}
		// The rest of the command follows, and the stream is in step.
		_, err = s.Get(t.Context(), "k", store.Head)
		checkErr(t, err, []error{store.ErrNotFound})
	})
}

func TestStalledConnectionIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{StallTimeout: 2 * time.Second},
			greeted(func(p *peer) {
				p.line()
				p.send("EN O1\r\n")
				time.Sleep(time.Hour)
				p.drain()
			}),
			says("VA 1 c1 f0 t9 O1\r\nv\r\n"))
		_, err := s.Get(t.Context(), "k", store.Whole)
		checkErr(t, err, []error{store.ErrNotFound})
		time.Sleep(time.Hour - time.Second) // no call waits, so nothing stalls

		began := time.Now()
		go func() {
			time.Sleep(time.Second)
			_, err := s.Get(t.Context(), "k", store.Whole)
			checkErr(t, err, []error{store.ErrUnavailable})
		}()
		_, err = s.Put(t.Context(), "k", store.Item{}, store.Any)
		checkErr(t, err, []error{store.ErrUnknownOutcome}, context.DeadlineExceeded)
		if took := time.Since(began); took < 2*time.Second || took > 2500*time.Millisecond {
			t.Errorf("given up after %v, want 2 s to 2.5 s", took)
		}
		if item := mustGet(t, s, "k"); item.Version.Generation != 2 {
			t.Errorf("got %+v, want an item from the second connection", item)
		}
	})
}

// One answer a second is slow, not stalled.
func TestSlowConnectionIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{StallTimeout: 2 * time.Second, CallTimeout: time.Hour}, greeted(func(p *peer) {
			for _, answer := range []string{"EN O1\r\n", "EN O2\r\n", "EN O3\r\n", "EN O4\r\n", "EN O5\r\n"} {
				p.line()
				time.Sleep(time.Second)
				p.send(answer)
			}
			p.drain()
		}))
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				_, err := s.Get(t.Context(), "k", store.Whole)
				checkErr(t, err, []error{store.ErrNotFound})
			})
		}
		wg.Wait()
	})
}

func TestCloseEndsCallsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{}, silent)
		var wg sync.WaitGroup
		for _, v := range []verb{get, put} {
			wg.Go(func() {
				_, err := s.do(t.Context(), request{verb: v, key: "k", at: store.Any})
				checkErr(t, err, []error{store.ErrClosed, store.ErrUnavailable})
				if got := errors.Is(err, store.ErrUnknownOutcome); got != v.writes() {
					t.Errorf("%v: %v: unknown outcome is %v", v, err, got)
				}
			})
		}
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		_, err := s.Get(t.Context(), "k", store.Whole)
		checkErr(t, err, []error{store.ErrClosed}, store.ErrUnknownOutcome)
	})
}

func TestTooManyCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{}, silent)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for range maxCalls {
			wg.Go(func() {
				_, err := s.Get(ctx, "k", store.Head)
				checkErr(t, err, []error{context.DeadlineExceeded}, errTooMany)
			})
		}
		synctest.Wait()
		_, err := s.Put(ctx, "k", store.Item{}, store.Any)
		checkErr(t, err, []error{store.ErrUnavailable, errTooMany}, store.ErrUnknownOutcome)
		wg.Wait()
	})
}

func TestTooManyBytesQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{StallTimeout: time.Minute}, greeted(func(*peer) { time.Sleep(time.Minute) }))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		item := store.Item{Value: make([]byte, 1<<20-2<<10)}
		put := func() error {
			_, err := s.Put(ctx, "k", item, store.Any)
			return err
		}
		var wg sync.WaitGroup
		wg.Go(func() { checkErr(t, put(), []error{context.DeadlineExceeded}, errTooMany) })
		synctest.Wait() // the first is being written, the others are queued
		for range maxQueuedBytes / len(item.Value) {
			wg.Go(func() { checkErr(t, put(), []error{context.DeadlineExceeded}, errTooMany, store.ErrUnknownOutcome) })
		}
		synctest.Wait()
		checkErr(t, put(), []error{store.ErrUnavailable, errTooMany}, store.ErrUnknownOutcome)
		wg.Wait()
		// Those that gave up make room.
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		checkErr(t, put(), []error{context.DeadlineExceeded}, errTooMany)
	})
}

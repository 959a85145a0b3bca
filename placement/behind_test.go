package placement_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
)

const idle30 = 30 * time.Minute

// holdTouches makes the touches of s wait until release is called or their
// context ends.
func holdTouches(s *faulty) (release func()) {
	free := make(chan struct{})
	s.meet = func(ctx context.Context, op operation) fate {
		if op.verb != "touch" {
			return happens
		}
		select {
		case <-free:
			return happens
		case <-ctx.Done():
			return refused
		}
	}
	return func() { close(free) }
}

func TestNobodyWaitsForAnExtension(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := newCluster(t, s)
		commit(t, c, id, nil, settings(idle30, time.Time{}))
		release := holdTouches(s)
		time.Sleep(20 * time.Minute)
		before := time.Now()
		load(t, c, id)
		if waited := time.Since(before); waited != 0 {
			t.Errorf("the read waited %v", waited)
		}
		release()
	})
}

func TestParallelReadsExtendOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := newCluster(t, s)
		commit(t, c, id, nil, settings(idle30, time.Time{}))
		release := holdTouches(s)
		time.Sleep(20 * time.Minute)
		var reads sync.WaitGroup
		for range 50 {
			reads.Go(func() { load(t, c, id) })
		}
		reads.Wait()
		release()
		synctest.Wait()
		if got := s.count("touch"); got != 1 {
			t.Errorf("%d extensions, want 1", got)
		}
	})
}

func TestExtensionsUnderWayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sessions, most = 300, 256
		s := newFaulty()
		c := newCluster(t, s)
		for i := range sessions {
			commit(t, c, fmt.Sprint("session", i), nil, settings(idle30, time.Time{}))
		}
		release := holdTouches(s)
		time.Sleep(20 * time.Minute)
		readAll := func() {
			for i := range sessions {
				load(t, c, fmt.Sprint("session", i))
			}
			synctest.Wait()
		}
		readAll()
		if got := s.count("touch"); got != most {
			t.Errorf("%d under way at once, want %d", got, most)
		}
		if st := c.Stats(); st.Touches != most || st.TouchesPutOff != sessions-most {
			t.Errorf("counted %d begun and %d put off, want %d and %d", st.Touches, st.TouchesPutOff, most, sessions-most)
		}
		release()
		synctest.Wait()
		readAll() // extends those that were put off
		for i := range sessions {
			if got := timeLeft(t, s, key(fmt.Sprint("session", i))); got < idle30 {
				t.Fatalf("session %d has %v left: it was not extended", i, got)
			}
		}
	})
}

func TestHungExtensionIsGivenUpAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := newCluster(t, s)
		commit(t, c, id, nil, settings(idle30, time.Time{}))
		holdTouches(s)
		time.Sleep(20 * time.Minute)
		load(t, c, id)
		time.Sleep(timeout)
		synctest.Wait()
		if st := c.Stats(); st.Touches != 1 || st.TouchesFailed != 1 {
			t.Errorf("counted %d begun and %d failed, want 1 and 1", st.Touches, st.TouchesFailed)
		}
		s.meet = nil
		load(t, c, id)
		synctest.Wait()
		if got := s.count("touch"); got != 2 {
			t.Errorf("%d extensions, want another by the next read", got)
		}
	})
}

// A store that does not heed its context: Close must wait even then, since
// afterwards the store is closed.
func TestCloseWaitsForWhatRunsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := openCluster(t, s, newCodec(t))
		commit(t, c, id, nil, settings(idle30, time.Time{}))
		free := make(chan struct{})
		s.meet = func(_ context.Context, op operation) fate {
			if op.verb == "touch" {
				<-free
			}
			return happens
		}
		time.Sleep(20 * time.Minute)
		load(t, c, id)
		closed := false
		go func() {
			_ = c.Close()
			closed = true
		}()
		synctest.Wait()
		if closed {
			t.Error("Close returned while an extension was under way")
		}
		close(free)
		synctest.Wait()
		if !closed {
			t.Error("Close waits for nothing")
		}
	})
}

func TestCloseEndsWhatRunsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := openCluster(t, s, newCodec(t))
		commit(t, c, id, nil, settings(idle30, time.Time{}))
		holdTouches(s)
		time.Sleep(20 * time.Minute)
		load(t, c, id)
		before := time.Now()
		_ = c.Close()
		if waited := time.Since(before); waited != 0 {
			t.Errorf("Close waited %v for an extension that heeds its context", waited)
		}
		load(t, c, id) // begins nothing any more
	})
}

// For the race detector: to begin a job is not to race with waiting for them.
func TestCloseWhileReadsBeginExtensions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 200 {
			s := newFaulty()
			c := openCluster(t, s, newCodec(t))
			commit(t, c, id, nil, settings(idle30, time.Time{}))
			time.Sleep(20 * time.Minute)
			var requests sync.WaitGroup
			for range 4 {
				requests.Go(func() { load(t, c, id) })
			}
			requests.Go(func() { _ = c.Close() })
			requests.Wait()
		}
	})
}

func TestCloseClosesTheStore(t *testing.T) {
	s := newFaulty()
	c, err := placement.New([]store.Node{{Name: nodeName, Store: s}}, placement.Options{Codec: newCodec(t), Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	_, err = c.Load(t.Context(), id, "")
	if !errors.Is(err, store.ErrClosed) {
		t.Errorf("Load after it: got %v, want store.ErrClosed", err)
	}
}

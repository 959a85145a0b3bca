package memcachedstore

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func TestLoneCallersReadAndAnIdleConnectionIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(t)
		s := newStore(t, "fake:11211", &Options{Dial: server.dial})
		for range 3 {
			checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
			synctest.Wait() // who reads leaves the role behind the answer
			if readingRole(s.current.Load()) {
				t.Error("after the answer to a lone call somebody still reads")
			}
			time.Sleep(3 * callerPatience)
			if !readingRole(s.current.Load()) {
				t.Error("nobody watches the idle connection")
			}
		}
		server.cut()
		synctest.Wait()
		if _, _, cause := s.current.Load().obituary(); cause == nil {
			t.Error("the end of the idle connection was not noticed")
		}
	})
}

func readingRole(c *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reading
}

// After a crowd the reader stays for a while, then leaves the role to callers.
func TestReaderLeavesWhenTheCrowdHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{}, greeted(func(p *peer) {
			p.expect("mg k c f t O1", "mg k c f t O2", "mg k c f t O3")
			p.send("EN O1\r\nEN O2\r\nEN O3\r\n")
			for opaque := 4; opaque < 4+crowd; opaque++ {
				p.expect(fmt.Sprint("mg k c f t O", opaque))
				p.send(fmt.Sprintf("EN O%d\r\n", opaque))
			}
			p.drain()
		}))
		crowded := make(chan error, 3)
		for range cap(crowded) {
			go func() { crowded <- probe(t.Context(), s) }()
		}
		for range cap(crowded) {
			checkErr(t, <-crowded, []error{store.ErrNotFound})
		}
		for n := 1; n <= crowd; n++ {
			if !readingRole(s.current.Load()) {
				t.Errorf("the reader has left before %d lone calls", n)
			}
			checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
			synctest.Wait()
		}
		if readingRole(s.current.Load()) {
			t.Errorf("the reader is still there after %d lone calls", crowd)
		}
	})
}

// A lone caller whose answer takes long is as free to go as others.
func TestLoneCallerGoesWhenItsContextEnds(t *testing.T) {
	for name, answer := range map[string][2]string{
		"before the answer": {"", "VA 4 c1 f0 t-1 O1\r\nslow\r\n"},
		"in its line":       {"VA 4 c", "1 f0 t-1 O1\r\nslow\r\n"},
		"in its value":      {"VA 4 c1 f0 t-1 O1\r\nsl", "ow\r\n"},
		"in its line end":   {"VA 4 c1 f0 t-1 O1\r\nslow\r", "\n"},
	} {
		for _, life := range []time.Duration{time.Millisecond, 300 * time.Millisecond} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { loneCallerGoes(t, life, answer) })
			})
		}
	}
}

func loneCallerGoes(t *testing.T, life time.Duration, answer [2]string) {
	s := scripted(t, Options{}, greeted(func(p *peer) {
		p.expect("mg k v c f t O1")
		p.send(answer[0])
		time.Sleep(time.Second)
		p.send(answer[1])
		p.expect("mg next v c f t O2")
		p.send("VA 4 c2 f0 t-1 O2\r\nnext\r\n")
		p.drain()
	}))
	ctx, cancel := context.WithTimeout(t.Context(), life)
	defer cancel()
	began := time.Now()
	_, err := s.Get(ctx, "k", store.Whole)
	checkErr(t, err, []error{store.ErrUnavailable, context.DeadlineExceeded})
	if took := time.Since(began); took != life {
		t.Errorf("with a deadline in %v the call took %v", life, took)
	}
	if item := mustGet(t, s, "next"); string(item.Value) != "next" {
		t.Errorf("the next call got %q", item.Value)
	}
}

func TestCancelledLoneCallerGoesSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{}, silent)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		began := time.Now()
		_, err := s.Get(ctx, "k", store.Whole)
		checkErr(t, err, []error{store.ErrUnavailable, context.Canceled})
		if took := time.Since(began); took > time.Millisecond+callerPatience {
			t.Errorf("took %v", took)
		}
	})
}

// The answer comes in two pieces, the second after the caller has stopped to read.
func TestLoneCallerGetsALateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := "VA 5 c1 f7 t-1 O1\r\nva\r\ne\r\n"
		for cut := range len(text) {
			s := scripted(t, Options{}, greeted(func(p *peer) {
				p.line()
				p.send(text[:cut])
				time.Sleep(2 * callerPatience)
				p.send(text[cut:])
				p.drain()
			}))
			if item := mustGet(t, s, "k"); string(item.Value) != "va\r\ne" || item.Flags != 7 {
				t.Errorf("cut at %d: got %+v", cut, item)
			}
		}
	})
}

// An answer is complete from its last byte on.
func TestCompleteAnswers(t *testing.T) {
	value := "END\r\nVA 9\r\n"
	for _, tc := range []struct {
		speaks dialect
		text   string
	}{
		{meta{}, "VA 11 c1 f0 t-1 O1\r\n" + value + "\r\n"},
		{meta{}, "VA 0 c1 f0 t-1 O1\r\n\r\n"},
		{meta{}, "HD c1 O1\r\n"},
		{meta{}, "EN O1\r\n"},
		{meta{}, "SERVER_ERROR out of memory\r\n"},
		{classic{}, "VALUE k 0 11 7\r\n" + value + "\r\nEND\r\n"},
		{classic{}, "VALUE k 0 11 7\r\n" + value + "\r\nVALUE note 0 3 8\r\nEND\r\nEND\r\n"},
		{classic{}, "END\r\n"},
		{classic{}, "STORED\r\n"},
	} {
		for n := range len(tc.text) {
			if tc.speaks.complete([]byte(tc.text[:n])) {
				t.Errorf("%T: %q: complete after %d bytes", tc.speaks, tc.text, n)
			}
		}
		for _, behind := range []string{"", "V", "VALUE", "HD c1"} {
			if !tc.speaks.complete([]byte(tc.text + behind)) {
				t.Errorf("%T: %q: not complete", tc.speaks, tc.text+behind)
			}
		}
	}
}

// A call that was queued while the caller of another read, and is sent after
// that one has gone, has a reader at once.
func TestQueuedCallFindsAReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(t)
		s := newStore(t, "fake:11211", &Options{Dial: server.dial})
		checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
		c := s.current.Load()
		c.mu.Lock()
		c.writing = true
		c.mu.Unlock()
		began := time.Now()
		answered := make(chan error)
		go func() { answered <- probe(t.Context(), s) }()
		synctest.Wait()
		c.toWrite <- struct{}{}
		checkErr(t, <-answered, []error{store.ErrNotFound})
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

// Calls of a dead connection end only when nobody else reads its answers.
func TestEndOfTheConnectionWaitsForTheReadingRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{}, says("EN O1\r\n"))
		checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
		c := s.current.Load()
		c.mu.Lock()
		c.reading = true
		c.mu.Unlock()
		ended := make(chan error, 1)
		go func() { ended <- probe(t.Context(), s) }()
		synctest.Wait()
		c.fail(errHungUp)
		synctest.Wait()
		if len(ended) > 0 {
			t.Error("the call has ended while somebody may read its answer")
		}
		c.toRead <- struct{}{}
		checkErr(t, <-ended, []error{store.ErrUnavailable, errHungUp})
	})
}

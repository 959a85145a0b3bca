package memcachedstore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// Whatever the server sends in place of an answer, the call fails, the
// connection is given up, and the next call works on a new one.
func TestBadAnswersEndTheConnection(t *testing.T) {
	long := strings.Repeat("x", 2*readBuffer)
	for name, text := range map[string]string{
		"garbage":               "\x00\xff!!\r\n",
		"an error line":         "ERROR\r\n",
		"a client error":        "CLIENT_ERROR bad data chunk\r\n",
		"another opaque":        "VA 5 c1 f0 t-1 O2\r\nvalue\r\n",
		"no opaque":             "VA 5 c1 f0 t-1\r\nvalue\r\n",
		"a miss without opaque": "EN\r\n",
		"no version":            "VA 5 f0 t-1 O1\r\nvalue\r\n",
		"version 0":             "VA 5 c0 f0 t-1 O1\r\nvalue\r\n",
		"no value":              "HD c1 f0 t-1 O1\r\n",
		"a size above limit":    "VA 1048577 c1 f0 t-1 O1\r\n",
		"a huge size":           "VA 99999999999 c1 f0 t-1 O1\r\n",
		"a longer value":        "VA 5 c1 f0 t-1 O1\r\nvalues\r\n",
		"a shorter value":       "VA 5 c1 f0 t-1 O1\r\nval\r\nEN O2\r\n",
		"an endless line":       "VA " + long,
		"a bare line feed":      "EN O1\n",
		"an answer to others":   "NS c0 O1\r\n",
		"an empty line":         "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := scripted(t, Options{}, says(text), says("VA 5 c1 f0 t-1 O1\r\nvalue\r\n"))
				_, err := s.Get(t.Context(), "k", store.Whole)
				checkErr(t, err, []error{store.ErrUnavailable, errProtocol}, store.ErrUnknownOutcome, store.ErrNotFound)
				time.Sleep(firstPause)
				if item := mustGet(t, s, "k"); string(item.Value) != "value" || item.Version.Generation != 2 {
					t.Errorf("after a bad answer: got %+v", item)
				}
			})
		})
	}
}

func TestAnswerInPieces(t *testing.T) {
	text := "VA 5 c1 f7 t-1 O1\r\nva\r\ne\r\n"
	for cut := range len(text) {
		s := scripted(t, Options{}, greeted(func(p *peer) {
			p.line()
			p.send(text[:cut])
			p.send(text[cut:])
			p.drain()
		}))
		item := mustGet(t, s, "k")
		if string(item.Value) != "va\r\ne" || item.Flags != 7 || item.TTL != store.Forever {
			t.Errorf("cut at %d: got %+v", cut, item)
		}
		s.Close()
	}
}

func TestConnectionClosedInTheMiddleOfAnAnswer(t *testing.T) {
	answers := map[verb]string{
		get:    "VA 5 c1 f7 t-1 O1\r\nvalue\r\n",
		head:   "HD c1 f7 t-1 O1\r\n",
		put:    "HD c1 O1\r\n",
		touch:  "HD c1 O1\r\n",
		remove: "HD O1\r\n",
	}
	for v, text := range answers {
		for cut := range len(text) {
			s := scripted(t, Options{}, greeted(func(p *peer) {
				p.line()
				p.send(text[:cut])
			}))
			_, err := s.do(t.Context(), request{verb: v, key: "k", at: store.Any})
			checkErr(t, err, []error{store.ErrUnavailable})
			if got := errors.Is(err, store.ErrUnknownOutcome); got != v.writes() {
				t.Errorf("%v, closed after %q: %v: unknown outcome is %v", v, text[:cut], err, got)
			}
			s.Close()
		}
	}
}

func TestRefusalsOfTheServerKeepTheConnection(t *testing.T) {
	s := scripted(t, Options{}, greeted(func(p *peer) {
		p.expect("ms k 5 c F0 T0 O1", "value")
		p.send("SERVER_ERROR object too large for cache\r\n")
		p.expect("ms k 5 c F0 T0 O2", "value")
		p.send("SERVER_ERROR out of memory storing object\r\n")
		p.expect("mg k v c f t O3")
		p.send("SERVER_ERROR out of memory writing get response\r\n")
		p.expect("md k O4")
		p.send("SERVER_ERROR hm\r\n")
		p.expect("mg k c f t O5")
		p.send("EN O5\r\n")
		p.drain()
	}))
	item := store.Item{Value: []byte("value")}
	_, err := s.Put(t.Context(), "k", item, store.Any)
	checkErr(t, err, []error{store.ErrTooLarge}, store.ErrUnavailable)
	_, err = s.Put(t.Context(), "k", item, store.Any)
	checkErr(t, err, []error{store.ErrFull}, store.ErrUnavailable)
	_, err = s.Get(t.Context(), "k", store.Whole)
	checkErr(t, err, []error{store.ErrUnavailable}, store.ErrUnknownOutcome)
	err = s.Delete(t.Context(), "k", store.Any)
	checkErr(t, err, []error{store.ErrUnknownOutcome})
	_, err = s.Get(t.Context(), "k", store.Head)
	checkErr(t, err, []error{store.ErrNotFound}, store.ErrUnavailable)
}

// A value that the server did not skip would be taken for commands.
func TestUnknownRefusalOfAPutEndsTheConnection(t *testing.T) {
	s := scripted(t, Options{}, says("SERVER_ERROR hm\r\n"))
	_, err := s.Put(t.Context(), "k", store.Item{Value: []byte("v")}, store.Any)
	checkErr(t, err, []error{store.ErrUnknownOutcome})
	_, err = s.Get(t.Context(), "k", store.Whole)
	checkErr(t, err, []error{store.ErrUnavailable})
}

func TestAnswerThatNobodyAskedForEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{},
			greeted(func(p *peer) {
				p.line()
				p.send("EN O1\r\nEN O2\r\n")
				p.drain()
			}),
			says("VA 1 c1 f0 t9 O1\r\nv\r\n"))
		_, err := s.Get(t.Context(), "k", store.Whole)
		checkErr(t, err, []error{store.ErrNotFound})
		synctest.Wait()
		if item := mustGet(t, s, "k"); item.Version.Generation != 2 {
			t.Errorf("got version %v, want one of the second connection", item.Version)
		}
	})
}

// The value of a caller who has gone must be read all the same.
func TestValueOfAnAbandonedCall(t *testing.T) {
	for name, text := range map[string]string{
		"cut short":      "VA 9 c1 f0 t-1 O1\r\nval",
		"wrong line end": "VA 3 c1 f0 t-1 O1\r\nvalue\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := scripted(t, Options{}, greeted(func(p *peer) {
					p.line()
					time.Sleep(time.Second)
					p.send(text)
					p.line()
				}))
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				_, err := s.Get(ctx, "k", store.Whole)
				checkErr(t, err, []error{context.DeadlineExceeded})
				checkErr(t, s.Delete(t.Context(), "k", store.Any), []error{store.ErrUnknownOutcome, errProtocol})
			})
		})
	}
}

// The opaque counts up to 65535 and goes on with 0, which is not none.
func TestOpaqueZeroIsAnOpaque(t *testing.T) {
	s := scripted(t, Options{}, greeted(func(p *peer) {
		p.expect("mg k c f t O1")
		p.send("EN O1\r\n")
		p.expect("mg k c f t O0")
		p.send("EN\r\n")
		p.drain()
	}))
	checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
	c := s.current.Load()
	c.mu.Lock()
	c.opaque = 65535
	c.mu.Unlock()
	checkErr(t, probe(t.Context(), s), []error{errProtocol}, store.ErrNotFound)
}

// All calls in flight fail with the connection, the writes with an unknown
// outcome.
func TestOneBadAnswerFailsAllCallsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{}, greeted(func(p *peer) {
			for range 6 { // a put has two lines
				p.line()
			}
			p.send("HD c1 f0 t-1 O1\r\n?\r\n")
			p.drain()
		}))
		errs := make([]error, 5)
		do := func(v verb, i int) {
			_, errs[i] = s.do(t.Context(), request{verb: v, key: "k", at: store.Any})
		}
		for i, v := range []verb{head, get, put, touch, remove} {
			go do(v, i)
			synctest.Wait() // so that they come in this order
		}
		if errs[0] != nil {
			t.Errorf("the call before the bad answer: %v", errs[0])
		}
		checkErr(t, errs[1], []error{store.ErrUnavailable, errProtocol}, store.ErrUnknownOutcome)
		for _, err := range errs[2:] {
			checkErr(t, err, []error{store.ErrUnknownOutcome, errProtocol})
		}
	})
}

// FuzzStream feeds any bytes to a connection on which calls wait: they all end,
// and no get returns what the server did not send.
func FuzzStream(f *testing.F) {
	f.Add([]byte("VA 5 c1 f0 t-1 O1\r\nvalue\r\nHD c1 O2\r\nHD O3\r\n"))
	f.Add([]byte("EN O1\r\nSERVER_ERROR out of memory storing object\r\nNF O3\r\n"))
	f.Add([]byte("VA 100 c1 f0 t-1 O1\r\nvalue"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		fuzzStream(t, stream, greeted, 4) // a put has two lines
	})
}

// fuzzStream sends stream after so many lines of three calls.
func fuzzStream(t *testing.T, stream []byte, greeted func(script) script, lines int) {
	s := scripted(t, Options{}, greeted(func(p *peer) {
		for range lines {
			p.line()
		}
		p.send(string(stream))
	}))
	done := make(chan store.Item, 3)
	for _, v := range []verb{get, put, remove} {
		go func() {
			item, err := s.do(t.Context(), request{verb: v, key: "k", at: store.Any})
			if err != nil && !errors.Is(err, store.ErrUnavailable) && !isAnswer(err) {
				t.Errorf("%v: %v", v, err)
			}
			done <- item
		}()
	}
	for range 3 {
		if item := <-done; !strings.Contains(string(stream), string(item.Value)) {
			t.Errorf("got %q, which is no part of %q", item.Value, stream)
		}
	}
}

func isAnswer(err error) bool {
	answers := []error{store.ErrNotFound, store.ErrConflict, store.ErrTooLarge, store.ErrFull}
	return slices.ContainsFunc(answers, func(answer error) bool { return errors.Is(err, answer) })
}

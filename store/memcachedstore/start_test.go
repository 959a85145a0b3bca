package memcachedstore

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// connected is a Store with a connection that nobody reads.
func connected(t *testing.T, server *fake) *Store {
	t.Helper()
	s := newStore(t, "fake:11211", &Options{Dial: server.dial})
	mustPut(t, s, "k", "v")
	return s
}

func mustPut(t *testing.T, s *Store, key, value string) store.Version {
	t.Helper()
	v, err := s.Put(t.Context(), key, store.Item{Value: []byte(value), TTL: time.Hour}, store.Any)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// mustStart starts a Get of k.
func mustStart(t *testing.T, s *Store) store.Pending {
	t.Helper()
	p := s.StartGet(t.Context(), "k", store.Whole)
	if p == nil {
		t.Fatal("the call was not started")
	}
	return p
}

func TestStartedCallIsReadByItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connected(t, newFake(t))
		p := mustStart(t, s)
		c := s.current.Load()
		if c.parked == nil {
			t.Error("somebody else reads the answer")
		}
		item, err := p.Wait(t.Context())
		if err != nil || string(item.Value) != "v" || c.parked != nil || c.reading {
			t.Errorf("got %q and %v, parked %t, reading %t, want v and nobody", item.Value, err, c.parked != nil, c.reading)
		}
	})
}

// While the caller is held up by another node, the others get their answers.
func TestNobodyWaitsForOneWhoHasStartedACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connected(t, newFake(t))
		first, second := mustStart(t, s), mustStart(t, s)
		began := time.Now()
		mustGet(t, s, "k")
		for _, p := range []store.Pending{second, first} {
			if item, err := p.Wait(t.Context()); err != nil || string(item.Value) != "v" {
				t.Errorf("got %q and %v, want v", item.Value, err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

// Held up until its context has ended, the caller still gets the answer that came
// in time.
func TestAnswerThatCameInTimeIsThereLater(t *testing.T) {
	for _, limit := range []time.Duration{time.Millisecond, 9 * time.Millisecond, 15 * time.Millisecond, 250 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			s := connected(t, newFake(t))
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			p := s.StartGet(ctx, "k", store.Whole)
			<-ctx.Done()
			synctest.Wait()
			if item, err := p.Wait(ctx); err != nil || string(item.Value) != "v" {
				t.Errorf("after %v: got %q and %v, want v", limit, item.Value, err)
			}
			mustGet(t, s, "k")
		})
	}
}

// An answer that nobody waits for yet is read all the same: else the server would
// seem to be silent.
func TestStartedCallThatIsNotWaitedForIsNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(t)
		s := newStore(t, "fake:11211", &Options{Dial: server.dial, StallTimeout: 100 * time.Millisecond})
		mustPut(t, s, "k", "v")
		p := mustStart(t, s)
		time.Sleep(time.Second)
		if _, _, cause := s.current.Load().obituary(); cause != nil {
			t.Errorf("the connection was given up: %v", cause)
		}
		if item, err := p.Wait(t.Context()); err != nil || string(item.Value) != "v" {
			t.Errorf("got %q and %v, want v", item.Value, err)
		}
	})
}

// A connection on which a started call gets no answer ends like any other.
func TestStartedCallsEndWithTheConnection(t *testing.T) {
	for name, wait := range map[string]time.Duration{"waited for": 0, "not yet waited for": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newFake(t)
				s := connected(t, server)
				server.slow = func() { time.Sleep(time.Minute) }
				get := mustStart(t, s)
				put := s.StartPut(t.Context(), "k", store.Item{Value: []byte("w")}, store.Any)
				server.cut()
				time.Sleep(wait)
				_, err := get.Wait(t.Context())
				checkErr(t, err, []error{store.ErrUnavailable}, store.ErrUnknownOutcome)
				_, err = put.Wait(t.Context())
				checkErr(t, err, []error{store.ErrUnknownOutcome})
			})
		})
	}
}

func TestWhatCannotBeStartedIsCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, old := newFake(t), newFake(t)
		old.old = true
		s, classic := connected(t, server), connected(t, old)
		version := mustPut(t, s, "k", "v")
		ended, end := context.WithCancel(t.Context())
		end()
		big := store.Item{Value: make([]byte, 2<<20)}
		for name, p := range map[string]store.Pending{
			"not connected":                newStore(t, "fake:11211", &Options{Dial: server.dial}).StartGet(t.Context(), "k", store.Whole),
			"a bad key":                    s.StartGet(t.Context(), "k k", store.Whole),
			"a context that has ended":     s.StartGet(ended, "k", store.Whole),
			"too large":                    s.StartPut(t.Context(), "k", big, store.Any),
			"a version of another life":    s.StartPut(t.Context(), "k", store.Item{}, store.Version{Generation: version.Generation + 1, Token: 1}),
			"a write of several commands":  classic.StartPut(t.Context(), "k", store.Item{}, store.Any),
			"a connection that is no more": afterDeath(t, s),
		} {
			if p != nil {
				t.Errorf("%s: the call was started", name)
			}
		}
	})
}

func afterDeath(t *testing.T, s *Store) store.Pending {
	s.current.Load().fail(errHungUp)
	return s.StartGet(t.Context(), "k", store.Whole)
}

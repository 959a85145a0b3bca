package memcachedstore

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// probe makes a small call.
func probe(ctx context.Context, s *Store) error {
	_, err := s.Get(ctx, "k", store.Head)
	return err
}

func TestNewDoesNotConnect(t *testing.T) {
	opts := Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialed")
		return nil, errRefused
	}}
	newStore(t, "fake:11211", &opts)
}

func TestDialGetsNetworkAndAddress(t *testing.T) {
	for addr, network := range map[string]string{
		"cache.example.org:11211": "tcp", "10.0.0.1:1": "tcp", "[::1]:65535": "tcp", "/run/memcached.sock": "unix",
	} {
		opts := Options{Dial: func(_ context.Context, gotNetwork, gotAddr string) (net.Conn, error) {
			if gotNetwork != network || gotAddr != addr {
				t.Errorf("dial %s %s, want %s %s", gotNetwork, gotAddr, network, addr)
			}
			return nil, errRefused
		}}
		err := probe(t.Context(), newStore(t, addr, &opts))
		checkErr(t, err, []error{store.ErrUnavailable, errRefused}, store.ErrUnknownOutcome)
		if !strings.Contains(err.Error(), addr) {
			t.Errorf("error %q does not name %s", err, addr)
		}
	}
}

// Calls in the pause fail at once, with the reason; the pause doubles up to two
// seconds, less a random part of at most half.
func TestPausesBetweenDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials []time.Time
		s := newStore(t, "fake:11211", &Options{Dial: func(context.Context, string, string) (net.Conn, error) {
			dials = append(dials, time.Now())
			return nil, errRefused
		}})
		for range 20_000 {
			began := time.Now()
			_, err := s.Put(t.Context(), "k", store.Item{}, store.Any)
			if took := time.Since(began); took != 0 {
				t.Fatalf("a call took %v", took)
			}
			checkErr(t, err, []error{store.ErrUnavailable, errRefused}, store.ErrUnknownOutcome)
			time.Sleep(time.Millisecond)
		}
		for i, pause := 1, firstPause; i < len(dials); i++ {
			if got := dials[i].Sub(dials[i-1]); got < pause/2 || got > pause+time.Millisecond {
				t.Errorf("pause %d: %v, want %v to %v", i, got, pause/2, pause)
			}
			pause = min(2*pause, longestPause)
		}
		if len(dials) < 15 || len(dials) > 30 {
			t.Errorf("%d dials in 20 s", len(dials))
		}
	})
}

func TestLostConnectionIsDialedAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(t)
		s := newStore(t, "fake:11211", &Options{Dial: server.dial})
		for generation := range uint64(20) {
			v, err := s.Put(t.Context(), "k", store.Item{}, store.Any)
			if err != nil || v.Generation != generation+1 {
				t.Fatalf("connection %d: %v, %v", generation+1, v, err)
			}
			server.cut()
			synctest.Wait()
		}
	})
}

// A server that takes connections and drops them is dialed with pauses too.
func TestConnectionsThatAreOfNoUseAreDialedWithPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		server := func(p *peer) { dials++; greeted(func(p *peer) { p.line() })(p) }
		s := scripted(t, Options{}, server, server, server, server, server, server, server, server)
		for range 1000 {
			checkErr(t, probe(t.Context(), s), []error{store.ErrUnavailable})
			time.Sleep(time.Millisecond)
		}
		if dials < 4 || dials > 7 {
			t.Errorf("%d dials in a second", dials)
		}
	})
}

func TestRecoveryEndsThePauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, away := newFake(t), true
		s := newStore(t, "fake:11211", &Options{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if away {
				return nil, errRefused
			}
			return server.dial(ctx, network, addr)
		}})
		for range 10 {
			checkErr(t, probe(t.Context(), s), []error{errRefused})
			time.Sleep(longestPause)
		}
		away = false
		checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
		server.cut()
		synctest.Wait()
		checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
		away = true
		server.cut()
		synctest.Wait()
		checkErr(t, probe(t.Context(), s), []error{errRefused})
		time.Sleep(firstPause)
		away = false
		checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
	})
}

// A version is checked against the connection that would carry it.
func TestVersionOfAnotherConnectionIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answerOne := greeted(func(p *peer) {
			p.line()
			p.send("HD c7 f0 t-1 O1\r\n")
		})
		var sent string
		s := scripted(t, Options{}, answerOne, greeted(func(p *peer) {
			p.expect("mg k c f t O1")
			p.send("HD c7 f0 t-1 O1\r\n")
			sent = p.line()
		}))
		old, err := s.Get(t.Context(), "k", store.Head)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the connection is gone, and the write below makes the next one
		_, err = s.Put(t.Context(), "k", store.Item{}, old.Version)
		checkErr(t, err, []error{store.ErrConflict}, store.ErrUnavailable)
		checkErr(t, s.Delete(t.Context(), "k", old.Version), []error{store.ErrConflict}, store.ErrUnavailable)
		item, err := s.Get(t.Context(), "k", store.Head)
		if err != nil || item.Version == old.Version || item.Version.Token != old.Version.Token {
			t.Errorf("got %+v, %v after %+v", item, err, old)
		}
		for _, none := range []store.Version{{Generation: 2}, {Generation: 3, Token: 7}, {Token: 7}} {
			_, err = s.Put(t.Context(), "k", store.Item{}, none)
			checkErr(t, err, []error{store.ErrConflict})
			checkErr(t, s.Delete(t.Context(), "k", none), []error{store.ErrConflict})
		}
		s.Close()
		synctest.Wait()
		if sent != "" {
			t.Errorf("sent %q", sent)
		}
	})
}

func TestDialIsSharedAndHoldsNobodyPastItsContext(t *testing.T) {
	for name, hang := range map[string]func(ctx context.Context, release chan struct{}) error{
		"heeds its context":   func(ctx context.Context, _ chan struct{}) error { <-ctx.Done(); return ctx.Err() },
		"ignores its context": func(_ context.Context, release chan struct{}) error { <-release; return errRefused },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release, dials := make(chan struct{}), atomic.Int32{}
				s := newStore(t, "fake:11211", &Options{DialTimeout: 3 * time.Second, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
					dials.Add(1)
					return nil, hang(ctx, release)
				}})
				var wg sync.WaitGroup
				for i := range 10 {
					wg.Go(func() {
						patience := time.Duration(i+1) * time.Second
						ctx, cancel := context.WithTimeout(t.Context(), patience)
						defer cancel()
						began := time.Now()
						checkErr(t, probe(ctx, s), []error{store.ErrUnavailable, context.DeadlineExceeded})
						if took := time.Since(began); took != min(patience, 3*time.Second) {
							t.Errorf("with a context of %v and a dial timeout of 3 s: %v", patience, took)
						}
					})
				}
				wg.Wait()
				if n := dials.Load(); n != 1 {
					t.Errorf("%d dials for 10 calls", n)
				}
				close(release)
			})
		})
	}
}

func TestTooManyCallsWaitForTheDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, "fake:11211", &Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, errRefused
		}})
		var wg sync.WaitGroup
		for range maxCalls {
			wg.Go(func() { checkErr(t, probe(t.Context(), s), []error{store.ErrUnavailable}, errTooMany) })
		}
		synctest.Wait()
		checkErr(t, probe(t.Context(), s), []error{store.ErrUnavailable, errTooMany})
		wg.Wait()
	})
}

// The server takes the connection and says nothing, as a stopped one does.
func TestGreetingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{DialTimeout: time.Second}, func(p *peer) { p.drain() }, says("EN O1\r\n"))
		began := time.Now()
		checkErr(t, probe(context.Background(), s), []error{store.ErrUnavailable})
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v, want DialTimeout", took)
		}
		time.Sleep(firstPause)
		checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
	})
}

// The callers have gone, but the connection is there for the next one.
func TestDialGoesOnWithoutItsCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(t)
		s := newStore(t, "fake:11211", &Options{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			time.Sleep(time.Second)
			return server.dial(ctx, network, addr)
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		checkErr(t, probe(ctx, s), []error{context.DeadlineExceeded})
		time.Sleep(time.Second)
		began := time.Now()
		checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v, want no wait for another dial", took)
		}
	})
}

func TestCloseEndsTheDial(t *testing.T) {
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"dialing":  func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
		"greeting": func(context.Context, string, string) (net.Conn, error) { c, _ := net.Pipe(); return c, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore(t, "fake:11211", &Options{Dial: dial})
				var err error
				var wg sync.WaitGroup
				wg.Go(func() { err = probe(t.Context(), s) })
				synctest.Wait()
				began := time.Now()
				s.Close()
				if took := time.Since(began); took != 0 {
					t.Errorf("Close took %v", took)
				}
				wg.Wait()
				checkErr(t, err, []error{store.ErrClosed}, store.ErrUnknownOutcome)
			})
		})
	}
}

// The same a moment later: the greeting had ended well when the store was closed.
func TestConnectionThatIsGreetedWhenTheStoreIsClosedIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(t)
		var s *Store
		var dialed net.Conn
		s = newStore(t, "fake:11211", &Options{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			s.mu.Lock()
			s.closed = true
			s.mu.Unlock()
			var err error
			dialed, err = server.dial(ctx, network, addr)
			return dialed, err
		}})
		checkErr(t, probe(t.Context(), s), []error{store.ErrClosed})
		synctest.Wait()
		if _, err := dialed.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the connection is still open: %v", err)
		}
	})
}

// The connection comes when the store is closed already: it must be closed.
func TestConnectionThatComesAfterCloseIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		s := newStore(t, "fake:11211", &Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return ours, nil
		}})
		go func() { _ = probe(t.Context(), s) }()
		synctest.Wait()
		s.Close()
		if _, err := theirs.Read(make([]byte, 1)); err == nil {
			t.Error("the connection is still open")
		}
	})
}

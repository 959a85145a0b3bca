package memcachedstore

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/storetest"
)

// The contract holds without meta commands, spoken to directly and through a
// proxy. Behind the proxy only the server restarts: no connection tells of it.
func TestContractInClassicCommands(t *testing.T) {
	for name, proxy := range map[string]bool{"old server": false, "proxy": true} {
		t.Run(name, func(t *testing.T) {
			storetest.RunInBubble(t, func(t *testing.T) storetest.Harness {
				server := newFake(t)
				server.old, server.proxy = true, proxy
				return storetest.Harness{
					Store: newStore(t, "fake:11211", &Options{Dial: server.dial}),
					Restart: func(testing.TB) {
						if proxy {
							server.forget()
						} else {
							server.restart()
						}
					},
					MaxItem:     1 << 20,
					Granularity: time.Second,
				}
			})
		})
	}
}

// A proxy closes the connection on a meta command. It is asked twice, lest an
// accident be taken for that, and then in classic commands.
func TestGreetingOfAProxy(t *testing.T) {
	hangsUp, classicOnly := leaves(asked, "", settings, ""), plays(slices.Concat(classicHello, classicRead)...)
	for name, tc := range map[string]struct {
		connections []script
		want        string // in the error; empty: the call that follows is answered
	}{
		"proxy":                   {[]script{hangsUp, hangsUp, classicOnly}, ""},
		"accident":                {[]script{hangsUp, plays(asked, "EN O1\r\n", settings, "END\r\n", "mg k c f t O1", "EN O1\r\n")}, ""},
		"away after the accident": {[]script{hangsUp}, "closed the connection (does the server expect TLS?)\n"},
		"old proxy, no touch":     {[]script{hangsUp, hangsUp, leaves(casHello, "", "", "NOT_FOUND\r\n", touchHello, "")}, "twemproxy 0.5"},
		"speaks neither":          {[]script{hangsUp, hangsUp, leaves(casHello, "", "", "")}, "classic"},
	} {
		t.Run(name, func(t *testing.T) {
			err := probe(t.Context(), scripted(t, Options{}, tc.connections...))
			if tc.want == "" {
				checkErr(t, err, []error{store.ErrNotFound})
				return
			}
			checkErr(t, err, []error{store.ErrUnavailable}, store.ErrNotFound, store.ErrUnknownOutcome)
			if !strings.Contains(fmt.Sprintln(err), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

// A proxy need not close the connection. Who tells its settings is none.
func TestServerWithoutSettingsIsTakenForAProxy(t *testing.T) {
	for answer, hidden := range map[string]bool{"ERROR\r\n": true, "END\r\n": true, "STAT a b\r\nEND\r\n": false} {
		s := scripted(t, Options{}, plays(slices.Concat([]string{asked, "ERROR\r\n", settings, answer}, classicHello, classicRead)...))
		checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
		if got := s.current.Load().speaks; got != (classic{hidden: hidden}) {
			t.Errorf("settings %q: %+v, want hidden %v", answer, got, hidden)
		}
	}
}

// A proxy that takes its time is waited for as long as any server: DialTimeout,
// for all three connections together.
func TestGreetingOfASlowProxyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hesitates := func(p *peer) { p.line(); time.Sleep(400 * time.Millisecond) }
		s := scripted(t, Options{DialTimeout: time.Second}, hesitates, hesitates, hesitates, hesitates)
		began := time.Now()
		checkErr(t, probe(context.Background(), s), []error{store.ErrUnavailable})
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v, want DialTimeout", took)
		}
	})
}

// Each connection asks anew, so an upgraded server is noticed, and one that was
// set back too.
func TestDialectIsFoundOnEachConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(t)
		s := newStore(t, "fake:11211", &Options{Dial: server.dial})
		for i, old := range []bool{true, false, true} {
			server.old = old
			value := fmt.Sprint("value ", i)
			if _, err := s.Put(t.Context(), "k", store.Item{Value: []byte(value), TTL: time.Hour}, store.Any); err != nil {
				t.Fatal(err)
			}
			if _, isClassic := s.current.Load().speaks.(classic); isClassic != old {
				t.Errorf("connection %d: classic %v, want %v", i+1, isClassic, old)
			}
			server.cut()
			synctest.Wait()
			if got := mustGet(t, s, "k"); string(got.Value) != value {
				t.Errorf("on the next connection: %q, want %q", got.Value, value)
			}
			server.cut()
			synctest.Wait()
		}
	})
}

// What one dialect stores the other reads; only the time left is not known of
// items that the other has written.
func TestDialectsShareItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(t)
		open := func(old bool) *Store {
			s := newStore(t, "fake:11211", &Options{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				server.old = old
				return server.dial(ctx, network, addr)
			}})
			checkErr(t, probe(t.Context(), s), []error{store.ErrNotFound})
			return s
		}
		// The fake knows classic commands in any case.
		older, newer := open(true), open(false)
		item := store.Item{Value: []byte("value"), Flags: 7, TTL: time.Hour}
		for _, way := range []struct {
			name     string
			from, to *Store
			ttl      time.Duration
		}{{"classic to meta", older, newer, time.Hour}, {"meta to classic", newer, older, store.Forever}} {
			item.Value = []byte(way.name)
			if _, err := way.from.Put(t.Context(), "k", item, store.Any); err != nil {
				t.Fatal(err)
			}
			got := mustGet(t, way.to, "k")
			if string(got.Value) != way.name || got.Flags != 7 || got.TTL != way.ttl {
				t.Errorf("%s: got %+v, want a TTL of %v", way.name, got, way.ttl)
			}
			if _, err := way.to.Put(t.Context(), "k", item, got.Version); err != nil {
				t.Errorf("%s: %v", way.name, err)
			}
		}
		// Touched in classic commands, its end is known.
		if _, err := newer.Put(t.Context(), "k", item, store.Any); err != nil {
			t.Fatal(err)
		}
		if _, err := older.Touch(t.Context(), "k", time.Minute); err != nil {
			t.Fatal(err)
		}
		for _, s := range []*Store{older, newer} {
			if got := mustGet(t, s, "k").TTL; got != time.Minute {
				t.Errorf("TTL %v, want a minute", got)
			}
		}
	})
}

// Somebody else writes between a put and the read behind it: the put has
// happened, and the version that it returns matches nothing.
func TestVersionOfAnOvertakenPut(t *testing.T) {
	for name, other := range map[string]string{
		"overwritten":  "VALUE k 0 5 9\r\nother\r\nEND\r\n",
		"other flags":  "VALUE k 1 5 9\r\nvalue\r\nEND\r\n",
		"deleted":      "END\r\n",
		"not readable": "SERVER_ERROR out of memory\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			var next string
			s := scripted(t, Options{}, oldServer(func(p *peer) {
				p.expect("set k 0 0 5", "value", "gets k "+noteKey("k"))
				p.send("STORED\r\n" + other)
				next = p.line()
				p.line()
				p.send("EXISTS\r\n" + "END\r\n")
				p.drain()
			}))
			v, err := s.Put(t.Context(), "k", store.Item{Value: []byte("value")}, store.Any)
			if err != nil || v == store.Absent || v == store.Any || v.Token == 9 {
				t.Fatalf("got %v, %v", v, err)
			}
			_, err = s.Put(t.Context(), "k", store.Item{Value: []byte("late")}, v)
			checkErr(t, err, []error{store.ErrConflict})
			if want := fmt.Sprint("cas k 0 0 4 ", uint64(noToken)); next != want {
				t.Errorf("sent %q, want %q", next, want)
			}
		})
	}
}

// oldServer is a script that begins with the greeting of an old memcached.
func oldServer(play script) script {
	return func(p *peer) {
		p.expect(asked, settings)
		p.send("ERROR\r\nSTAT item_size_max 1048576\r\nEND\r\n")
		leaves(classicHello...)(p)
		play(p)
	}
}

// A call whose caller has gone leaves its answers to nobody, and those behind
// it get their own.
func TestClassicStreamStaysInStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		s := scripted(t, Options{}, oldServer(func(p *peer) {
			p.expect("set a 0 0 1", "A", "gets a "+noteKey("a"), "gets b "+noteKey("b"))
			<-held
			p.send("STORED\r\nVALUE a 0 1 3\r\nA\r\nEND\r\nVALUE b 5 1 4\r\nB\r\nEND\r\n")
			p.drain()
		}))
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := s.Put(ctx, "a", store.Item{Value: []byte("A")}, store.Any)
			gone <- err
		}()
		synctest.Wait()
		got := make(chan store.Item)
		go func() {
			item, err := s.Get(t.Context(), "b", store.Whole)
			if err != nil {
				t.Error(err)
			}
			got <- item
		}()
		synctest.Wait()
		cancel()
		checkErr(t, <-gone, []error{store.ErrUnknownOutcome})
		close(held)
		if item := <-got; string(item.Value) != "B" || item.Flags != 5 || item.Version.Token != 4 {
			t.Errorf("got %+v, want the item of b", item)
		}
	})
}

// A touch comes before the read that tells the version: an item that was written
// between the two shows. The note is for what was read.
func TestClassicTouch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, Options{}, oldServer(func(p *peer) {
			p.expect("touch k 60", "gets k "+noteKey("k"))
			p.send("TOUCHED\r\nVALUE k 7 5 9\r\nvalue\r\nEND\r\n")
			n := noteRequest("k", note{fingerprint(7, []byte("value")), endOf(time.Minute, time.Now())})
			p.expect(fmt.Sprintf("set %s 0 60 %d", noteKey("k"), len(n.item.Value)), string(n.item.Value))
			p.send("STORED\r\n")
			p.expect("touch k 60", "gets k "+noteKey("k"))
			p.send("TOUCHED\r\nEND\r\n") // deleted meanwhile
			p.expect("touch k 60", "gets k "+noteKey("k"))
			p.send("NOT_FOUND\r\nEND\r\n")
			p.drain()
		}))
		v, err := s.Touch(t.Context(), "k", time.Minute)
		if want := (store.Version{Generation: 1, Token: 9}); err != nil || v != want {
			t.Errorf("got %v, %v, want %v", v, err, want)
		}
		v, err = s.Touch(t.Context(), "k", time.Minute)
		if want := (store.Version{Generation: 1, Token: noToken}); err != nil || v != want {
			t.Errorf("touched and deleted: got %v, %v, want %v", v, err, want)
		}
		_, err = s.Touch(t.Context(), "k", time.Minute)
		checkErr(t, err, []error{store.ErrNotFound})
	})
}

// Behind a proxy a write is not sent if another life of the server may have
// given the token, and a value that is too large is not even asked for.
func TestConditionalWriteBehindAProxy(t *testing.T) {
	old := classic{hidden: true}.version(0, 9, fingerprint(0, []byte("value")))
	for name, tc := range map[string]struct {
		size  int
		there string
		want  error
	}{
		"too large":         {1 << 20, "", store.ErrTooLarge},
		"another content":   {1, "VALUE k 0 5 9\r\nother\r\nEND\r\n", store.ErrConflict},
		"another token":     {1, "VALUE k 0 5 8\r\nvalue\r\nEND\r\n", store.ErrConflict},
		"nothing there":     {1, "END\r\n", store.ErrConflict},
		"no word about it":  {1, "SERVER_ERROR Connection refused\r\n", store.ErrUnavailable},
		"nonsense about it": {1, "STORED\r\n", store.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hangsUp := leaves(asked, "", settings, "")
				s := scripted(t, Options{}, hangsUp, hangsUp, func(p *peer) {
					leaves(classicHello...)(p)
					if tc.there != "" {
						p.expect("gets k " + noteKey("k"))
						p.send(tc.there)
					}
					if line := p.line(); line != "" {
						t.Errorf("sent %q", line)
					}
				})
				_, err := s.Put(t.Context(), "k", store.Item{Value: make([]byte, tc.size)}, old)
				checkErr(t, err, []error{tc.want}, store.ErrUnknownOutcome)
			})
		})
	}
}

package holdfast_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
)

// A recorder notes in the log of a store what reaches the browser, so that both
// can be seen in one order.
type recorder struct {
	*httptest.ResponseRecorder
	on       *tap
	readFrom int
}

func (w *recorder) WriteHeader(status int) {
	w.on.note(fmt.Sprint(status))
	w.ResponseRecorder.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	w.on.note("bytes")
	return w.ResponseRecorder.Write(b)
}

func (w *recorder) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

func (w *recorder) Flush() {
	w.on.note("flush")
	w.ResponseRecorder.Flush()
}

func (w *recorder) ReadFrom(src io.Reader) (int64, error) {
	w.readFrom++
	w.on.note("bytes")
	return io.Copy(w.ResponseRecorder.Body, src)
}

// waysOut are all the ways in which a handler can let the header leave.
var waysOut = map[string]func(http.ResponseWriter, *http.Request){
	"Write":       func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("x")) },
	"WriteString": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") },
	"WriteHeader": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) },
	"Flush":       func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() },
	"FlushError":  func(w http.ResponseWriter, _ *http.Request) { http.NewResponseController(w).Flush() },
	"io.Copy":     func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, bytes.NewBufferString("x")) },
	"ReadFrom":    func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, io.LimitReader(strings.NewReader("xx"), 1)) },
	"Error":       func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) },
	"Redirect":    func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusSeeOther) },
	"304":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
	"204":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	"ServeContent": func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader("text"))
	},
}

func TestChangesAreStoredBeforeTheHeaderLeaves(t *testing.T) {
	for name, out := range waysOut {
		t.Run(name, func(t *testing.T) {
			on := newTap()
			m := newManager(t, on, nil)
			w := &recorder{ResponseRecorder: httptest.NewRecorder(), on: on}
			m.Handler(page(func(w http.ResponseWriter, r *http.Request, s *holdfast.Session) {
				numberKey.Set(s, 7)
				out(w, r)
				numberKey.Get(s)
			})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			if log := on.drain(); !strings.HasPrefix(log, "put ") || strings.Count(log, "put") != 1 {
				t.Errorf("in this order: %s; want one put, before all else", log)
			}
			if got := len(w.Result().Cookies()); got != 1 {
				t.Errorf("%d cookies in the header, want 1", got)
			}
		})
	}
}

func TestHandlerThatWritesNothing(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	v := visit(m, func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) { numberKey.Set(s, 7) })
	wantStatus(t, v.get("/"), http.StatusOK)
	if got, want := stored(t, on, nil, v.sends()), "7|||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

// serve runs the handler behind a real server, and lists where.
func eachServer(t *testing.T, test func(t *testing.T, start func(http.Handler) *httptest.Server)) {
	t.Run("HTTP/1.1", func(t *testing.T) {
		test(t, func(h http.Handler) *httptest.Server {
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			return server
		})
	})
	t.Run("HTTP/2", func(t *testing.T) {
		test(t, func(h http.Handler) *httptest.Server {
			server := httptest.NewUnstartedServer(h)
			server.EnableHTTP2 = true
			server.StartTLS()
			t.Cleanup(server.Close)
			return server
		})
	})
}

// fetch asks a real server, with the cookie if it is not "".
func fetch(t *testing.T, server *httptest.Server, method, path, cookie string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	resp, err := server.Client().Transport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// cookieOf returns the cookie of a response as the browser sends it back.
func cookieOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	cookies := resp.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies in the response, want 1: %v", len(cookies), cookies)
	}
	return cookies[0].Name + "=" + cookies[0].Value
}

// Promise 5: who has the first byte of the response finds the change on any
// server, while the handler is still at work.
func TestTheFirstByteMeansStored(t *testing.T) {
	eachServer(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		on, seen := newTap(), make(chan bool)
		m := newManager(t, on, nil)
		server := start(m.Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
			numberKey.Set(s, 7)
			io.WriteString(w, "first")
			http.NewResponseController(w).Flush()
			<-seen
		})))
		resp := fetch(t, server, http.MethodGet, "/", "")
		if got, want := stored(t, on, nil, cookieOf(t, resp)), "7|||"; got != want {
			t.Errorf("with the first byte the other server sees %q, want %q", got, want)
		}
		close(seen)
	})
}

func TestHeadAndNotModifiedStoreToo(t *testing.T) {
	eachServer(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		on := newTap()
		server := start(newManager(t, on, nil).Handler(page(func(w http.ResponseWriter, r *http.Request, s *holdfast.Session) {
			increment(s)
			if r.Method == http.MethodHead {
				io.WriteString(w, "a body that nobody gets")
				return
			}
			w.WriteHeader(http.StatusNotModified)
		})))
		cookie := cookieOf(t, fetch(t, server, http.MethodHead, "/", ""))
		if resp := fetch(t, server, http.MethodGet, "/", cookie); resp.StatusCode != http.StatusNotModified {
			t.Errorf("status %d, want 304", resp.StatusCode)
		}
		if got, want := stored(t, on, nil, cookie), "2|||"; got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
	})
}

func TestFilesReachTheInnerReaderFrom(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file.txt")
	if err := os.WriteFile(name, bytes.Repeat([]byte("x"), 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	for how, send := range map[string]func(http.ResponseWriter, *http.Request, *os.File){
		"io.Copy": func(w http.ResponseWriter, _ *http.Request, f *os.File) { io.Copy(w, f) },
		"ServeContent": func(w http.ResponseWriter, r *http.Request, f *os.File) {
			http.ServeContent(w, r, name, time.Time{}, f)
		},
		"ServeFile": func(w http.ResponseWriter, r *http.Request, _ *os.File) { http.ServeFile(w, r, name) },
	} {
		t.Run(how, func(t *testing.T) {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			on := newTap()
			w := &recorder{ResponseRecorder: httptest.NewRecorder(), on: on}
			newManager(t, on, nil).Handler(page(func(w http.ResponseWriter, r *http.Request, s *holdfast.Session) {
				numberKey.Set(s, 7)
				send(w, r, f)
			})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			if w.readFrom != 1 || w.Body.Len() != 10_000 {
				t.Errorf("ReadFrom of the inner writer called %d times, %d bytes; want once, 10000", w.readFrom, w.Body.Len())
			}
			if log := on.drain(); !strings.HasPrefix(log, "put ") {
				t.Errorf("in this order: %s; want the put first", log)
			}
		})
	}
}

func TestResponseControllerReachesTheServer(t *testing.T) {
	type outcome struct{ deadline, duplex, flush error }
	got := make(chan outcome, 1)
	handler := newManager(t, nil, nil).Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		numberKey.Set(s, 7)
		c := http.NewResponseController(w)
		got <- outcome{c.SetWriteDeadline(time.Now().Add(time.Minute)), c.EnableFullDuplex(), c.Flush()}
	}))
	server := httptest.NewServer(handler)
	defer server.Close()
	fetch(t, server, http.MethodGet, "/", "")
	if o := <-got; o.deadline != nil || o.duplex != nil || o.flush != nil {
		t.Errorf("on a real server: %+v, want no errors", o)
	}

	handler.ServeHTTP(struct{ http.ResponseWriter }{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/", nil))
	o := <-got
	for what, err := range map[string]error{"SetWriteDeadline": o.deadline, "EnableFullDuplex": o.duplex, "Flush": o.flush} {
		if !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("%s of a writer that cannot: %v, want ErrNotSupported", what, err)
		}
	}
}

func TestWriteHeaderTwiceIsTheServersBusiness(t *testing.T) {
	var log logBook
	server := httptest.NewUnstartedServer(newManager(t, nil, nil).Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		numberKey.Set(s, 7)
		w.WriteHeader(http.StatusAccepted)
		w.WriteHeader(http.StatusTeapot)
	})))
	server.Config.ErrorLog = newStandardLog(&log)
	server.Start()
	defer server.Close()
	if resp := fetch(t, server, http.MethodGet, "/", ""); resp.StatusCode != http.StatusAccepted {
		t.Errorf("status %d, want the first, 202", resp.StatusCode)
	}
	if n := strings.Count(log.String(), "superfluous"); n != 1 {
		t.Errorf("net/http complained %d times, want once: %s", n, log.String())
	}
}

func TestAChangeAfterTheFirstByteIsStoredAtTheEnd(t *testing.T) {
	eachServer(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		on := newTap()
		server := start(newManager(t, on, nil).Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
			textKey.Set(s, "early")
			io.WriteString(w, "first byte")
			otherKey.Set(s, "late")
		})))
		resp := fetch(t, server, http.MethodGet, "/", "")
		io.Copy(io.Discard, resp.Body)
		if got, want := stored(t, on, nil, cookieOf(t, resp)), "0|early|late|"; got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
	})
}

func TestASessionCannotBeginAfterTheFirstByte(t *testing.T) {
	var log logBook
	on := newTap()
	m := newManager(t, on, &holdfast.Options{Logger: log.logger()})
	var kept, committed error
	v := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		io.WriteString(w, "first byte")
		if err := numberKey.Set(s, 7); err != nil {
			t.Errorf("Set: %v, want it to fail when it is committed", err)
		}
		committed = s.Commit()
		kept = s.Err()
		numberKey.Set(s, 8)
	})
	wantBody(t, v.get("/late"), "first byte")
	if !errors.Is(committed, holdfast.ErrTooLate) || !errors.Is(kept, holdfast.ErrTooLate) {
		t.Errorf("Commit: %v, Err: %v; want ErrTooLate", committed, kept)
	}
	if log := log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "path=/late") || !strings.Contains(log, "too late") {
		t.Errorf("log: %q, want one line with the path", log)
	}
	if got := m.Stats().TooLate; got != 1 {
		t.Errorf("Stats.TooLate is %d, want 1", got)
	}
	if v.sends() != "" || strings.Contains(on.drain(), "put") {
		t.Error("a session was stored that no browser knows")
	}
}

func TestTheClientsDisconnectDoesNotLoseTheChange(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	v := visit(m, func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) { textKey.Set(s, "before") })
	v.get("/")
	ctx, disconnect := context.WithCancel(t.Context())
	v.session(m, func(s *holdfast.Session) {
		textKey.Set(s, "after")
		disconnect()
	}).send(httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	if got, want := stored(t, on, nil, v.sends()), "0|after||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

// A handler may start goroutines: what they change while the header leaves is
// stored, then or at the end.
func TestAGoroutineOfTheRequestMayChangeTheSession(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	v := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		increment(s)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 4 {
					increment(s)
					s.Commit()
				}
			})
		}
		fmt.Fprint(w, "first byte")
		w.(http.Flusher).Flush()
		wg.Wait()
	})
	for i := range 10 {
		wantBody(t, v.get("/"), "first byte")
		want := fmt.Sprintf("%d|||", (i+1)*33)
		if got := stored(t, on, nil, v.sends()); got != want {
			t.Fatalf("stored %q, want %q", got, want)
		}
	}
}

func TestAGoroutineThatOutlivesItsRequestIsRefused(t *testing.T) {
	on, ended, refused := newTap(), make(chan bool), make(chan []error, 1)
	m := newManager(t, on, nil)
	v := visit(m, func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		textKey.Set(s, "in time")
		go func() {
			<-ended
			refused <- []error{
				textKey.Set(s, "too late"), increment(s), textKey.Delete(s), s.Renew(), s.Login("eve"),
				s.Do(func(s *holdfast.Session) error { return textKey.Set(s, "too late") }),
			}
		}()
	})
	v.get("/")
	close(ended)
	for i, err := range <-refused {
		if !errors.Is(err, holdfast.ErrTooLate) {
			t.Errorf("operation %d: %v, want ErrTooLate", i, err)
		}
	}
	if got, want := stored(t, on, nil, v.sends()), "0|in time||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

// A change that a goroutine of the request makes while a commit is under way is
// seen and stored afterwards, or refused: once the handler has returned.
func TestAChangeDuringACommit(t *testing.T) {
	for name, c := range map[string]struct {
		serve  func(http.ResponseWriter, *holdfast.Session)
		err    error
		stored string
	}{
		"Commit": {func(_ http.ResponseWriter, s *holdfast.Session) {
			increment(s)
			s.Commit()
			if n, _ := numberKey.Get(s); n != 11 {
				t.Errorf("after the commit the session shows %d, want 11", n)
			}
			increment(s)
		}, nil, "12|old||"},
		"Do": {func(_ http.ResponseWriter, s *holdfast.Session) {
			s.Do(increment)
			if n, _ := numberKey.Get(s); n != 11 {
				t.Errorf("after Do the session shows %d, want 11", n)
			}
		}, nil, "11|old||"},
		"the header":       {func(w http.ResponseWriter, s *holdfast.Session) { increment(s); io.WriteString(w, "page") }, nil, "11|old||"},
		"the header, late": {func(_ http.ResponseWriter, s *holdfast.Session) { increment(s) }, nil, "11|old||"},
		"the end": {func(w http.ResponseWriter, s *holdfast.Session) {
			io.WriteString(w, "page")
			increment(s)
		}, holdfast.ErrTooLate, "1|old||"},
	} {
		t.Run(name, func(t *testing.T) {
			on := newTap()
			m := newManager(t, on, nil)
			v := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
				numberKey.Get(s)
				on.set(bend{put: func(_ context.Context, next func() (store.Version, error)) (store.Version, error) {
					on.set(bend{})
					err := numberKey.Update(s, func(n *int) error { *n += 10; return nil })
					if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
						t.Errorf("Update meanwhile: %v, want %v", err, c.err)
					}
					return next()
				}})
				c.serve(w, s)
			})
			v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
			wantStatus(t, v.get("/"), http.StatusOK)
			if got := stored(t, on, nil, v.sends()); got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
		})
	}
}

// A function of Update's whose value another goroutine of the request has
// changed meanwhile runs again, and no lock is held then.
func TestAnUpdateThatIsOutrunRunsAgain(t *testing.T) {
	on := newTap()
	v := visit(newManager(t, on, nil), func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		runs := 0
		numberKey.Update(s, func(n *int) error {
			if runs++; runs == 1 {
				var other sync.WaitGroup
				other.Go(func() { increment(s) })
				other.Wait()
			}
			textKey.Get(s) // whoever reads must not wait for ever
			*n += 10
			return nil
		})
		if runs != 2 {
			t.Errorf("the function ran %d times, want twice", runs)
		}
	})
	wantStatus(t, v.get("/"), http.StatusOK)
	if got := stored(t, on, nil, v.sends()); got != "11|||" {
		t.Errorf("stored %q, want both changes", got)
	}
}

// Whatever a goroutine of the request got as success is stored, also when it
// came between the last commit and the end of the request.
func TestNoAcceptedChangeIsForgottenAtTheEnd(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	accepted := make(chan int, 1)
	v := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		increment(s)
		fmt.Fprint(w, "first byte")
		started := make(chan bool)
		go func() {
			close(started)
			n := 0
			for increment(s) == nil {
				n++
			}
			accepted <- n
		}()
		<-started
	})
	want := 0
	for range 50 {
		v.get("/")
		want += 1 + <-accepted
	}
	if got := stored(t, on, nil, v.sends()); got != fmt.Sprintf("%d|||", want) {
		t.Errorf("stored %q, %d changes were accepted", got, want)
	}
}

func TestTimeoutHandlerInside(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	stop, late := make(chan bool), make(chan error, 1)
	slow := page(func(_ http.ResponseWriter, r *http.Request, s *holdfast.Session) {
		textKey.Set(s, "before")
		<-r.Context().Done()
		<-stop
		late <- textKey.Set(s, "after")
	})
	v := &visitor{handler: m.Handler(http.TimeoutHandler(slow, 100*time.Millisecond, "slow"))}
	wantStatus(t, v.get("/"), http.StatusServiceUnavailable)
	close(stop)
	if err := <-late; !errors.Is(err, holdfast.ErrTooLate) {
		t.Errorf("change after the time-out: %v, want ErrTooLate", err)
	}
	if got, want := stored(t, on, nil, v.sends()), "0|before||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

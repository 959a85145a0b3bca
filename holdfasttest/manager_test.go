package holdfasttest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

// A recorder is a test that takes notes of what it is told.
type recorder struct {
	testing.TB
	output   bytes.Buffer
	errors   []string
	cleanups []func()
}

func (r *recorder) Helper()           {}
func (r *recorder) Output() io.Writer { return &r.output }
func (r *recorder) Cleanup(f func())  { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Error(args ...any) { r.errors = append(r.errors, fmt.Sprint(args...)) }

func (r *recorder) Errorf(format string, args ...any) {
	r.Error(fmt.Sprintf(format, args...))
}

func (r *recorder) Fatal(args ...any) {
	r.Error(args...)
	panic("the test has ended")
}

// end does what the end of a test does.
func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}

func (r *recorder) wantError(t *testing.T, want string) {
	t.Helper()
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], want) {
		t.Errorf("the test was told of the errors %q, want one with %q", r.errors, want)
	}
}

func TestManagerIsShutDownWithItsTest(t *testing.T) {
	test := &recorder{TB: t}
	m := holdfasttest.New(test, nil)
	r := holdfasttest.With(request(), m, func(s *holdfast.Session) { s.Login("bob") })
	test.end()
	w := httptest.NewRecorder()
	m.Handler(http.HandlerFunc(whoami)).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("after the test a request that needs its session gets status %d, want 503", w.Code)
	}
	if len(test.errors) > 0 {
		t.Errorf("a clean test was told of the errors %q", test.errors)
	}
}

func TestLostChangeFailsTheTest(t *testing.T) {
	test := &recorder{TB: t}
	m := holdfasttest.New(test, nil)
	serve(m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello")
		city.Set(holdfast.From(r.Context()), "Rome")
	})), request())
	test.end()
	test.wantError(t, "after the response header")
	if got := test.output.String(); !strings.Contains(got, "too late") {
		t.Errorf("the test's output is %q, want the manager's warning", got)
	}
}

func TestPanicOfAHookFailsTheTest(t *testing.T) {
	test := &recorder{TB: t}
	m := holdfasttest.New(test, &holdfast.Options{Hooks: holdfast.Hooks{
		Created: func(context.Context, holdfast.Event) { panic("oh") },
	}})
	holdfasttest.With(request(), m, func(s *holdfast.Session) { city.Set(s, "Rome") })
	test.end()
	test.wantError(t, "hooks panicked 1 times")
}

// setOdd leaves an error that it has not seen.
func setOdd(_ http.ResponseWriter, r *http.Request) {
	odd.Set(holdfast.From(r.Context()), nil)
}

func TestUnseenErrorShowsInTheResponseAndTheOutput(t *testing.T) {
	test := &recorder{TB: t}
	m := holdfasttest.New(test, nil)
	w := httptest.NewRecorder()
	m.Handler(http.HandlerFunc(setOdd)).ServeHTTP(w, request())
	if w.Code != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", w.Code)
	}
	if got := test.output.String(); !strings.Contains(got, "cannot be encoded") {
		t.Errorf("the test's output is %q, want the error", got)
	}
}

func TestWrongOptionsEndTheTest(t *testing.T) {
	test := &recorder{TB: t}
	defer func() {
		if recover() == nil {
			t.Error("the test went on")
		}
		test.wantError(t, "Route")
	}()
	holdfasttest.New(test, &holdfast.Options{Route: "a b"})
}

func setCity(_ http.ResponseWriter, r *http.Request) {
	city.Set(holdfast.From(r.Context()), "Rome")
}

func TestCookieIsForPlainHTTP(t *testing.T) {
	m := holdfasttest.New(t, nil)
	w := httptest.NewRecorder()
	m.Handler(http.HandlerFunc(setCity)).ServeHTTP(w, request())
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || cookies[0].Secure || cookies[0].Name != "session" {
		t.Errorf("cookies %v, want one called session, not secure", cookies)
	}
}

func TestNewKeepsWhatTheCallerChose(t *testing.T) {
	var log bytes.Buffer
	opts := &holdfast.Options{
		Cookie: holdfast.Cookie{Name: "__Host-id"},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}
	m := holdfasttest.New(t, opts)
	w := httptest.NewRecorder()
	m.Handler(http.HandlerFunc(setCity)).ServeHTTP(w, request())
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || cookies[0].Name != "__Host-id" || !cookies[0].Secure {
		t.Errorf("cookies %v, want a secure __Host-id", cookies)
	}
	serve(m.Handler(http.HandlerFunc(setOdd)), request())
	if got := log.String(); !strings.Contains(got, "cannot be encoded") {
		t.Errorf("the caller's log is %q, want the error", got)
	}
}

func TestNewChangesNoOptionsOfTheCaller(t *testing.T) {
	opts := &holdfast.Options{}
	holdfasttest.New(t, opts)
	if opts.Cookie.AllowInsecure || opts.Logger != nil {
		t.Errorf("options after New: %+v, want them as they were", opts)
	}
}

func TestSessionEndsInFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := holdfasttest.New(t, &holdfast.Options{IdleTimeout: time.Hour})
		r := holdfasttest.With(request(), m, func(s *holdfast.Session) { s.Login("bob") })
		h := m.Handler(http.HandlerFunc(whoami))
		time.Sleep(59 * time.Minute)
		if got, want := serve(h, r), "bob "; got != want {
			t.Errorf("after 59 minutes the handler saw %q, want %q", got, want)
		}
		time.Sleep(65 * time.Minute)
		if got, want := serve(h, r), " "; got != want {
			t.Errorf("65 minutes later the handler saw %q, want %q", got, want)
		}
	})
}

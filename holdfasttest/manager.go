package holdfasttest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// shutdownTimeout is far more than a store in memory needs.
const shutdownTimeout = 5 * time.Second

// New returns a manager that keeps its sessions in memory and is shut down when
// the test ends. Where opts leaves it open, the cookie has AllowInsecure, so
// that clients keep it over plain HTTP, and the log goes to the test's output.
//
// A session error that the handler has not seen shows in the response, which
// the manager replaces. What no response can show fails the test when it ends:
// such an error after the response header, as of a change that begins a session
// too late, and a hook that panicked.
func New(t testing.TB, opts *holdfast.Options) *holdfast.Manager {
	t.Helper()
	o := withDefaults(t, opts)
	m, err := holdfast.New(nil, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		t.Helper()
		shutDown(t, m)
		checkTooLate(t, m)
	})
	return m
}

// withDefaults fills in what suits a test.
func withDefaults(t testing.TB, opts *holdfast.Options) holdfast.Options {
	o := holdfast.Options{}
	if opts != nil {
		o = *opts
	}
	if o.Cookie == (holdfast.Cookie{}) {
		o.Cookie.AllowInsecure = true
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	return o
}

func shutDown(t testing.TB, m *holdfast.Manager) {
	t.Helper()
	if err := abandon(m); err != nil {
		t.Error(err)
	}
	if n := m.Stats().HookPanics; n > 0 {
		t.Errorf("holdfasttest: hooks panicked %d times: see the log", n)
	}
}

// abandon ends what runs of m, whatever becomes of it.
func abandon(m *holdfast.Manager) error {
	// The test's own context has ended by now.
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	return m.Shutdown(ctx)
}

func checkTooLate(t testing.TB, m *holdfast.Manager) {
	t.Helper()
	if n := m.Stats().TooLate; n > 0 {
		t.Errorf("holdfasttest: %d times a session failed after the response header, and the handler did not look at Session.Err: see the log", n)
	}
}

package storetest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// A recorder is a test whose failure is a result: it runs a row and says what
// the row said.
type recorder struct {
	testing.TB // for Context and Helper

	mu      sync.Mutex // guards all below
	failed  bool
	skipped bool
	said    strings.Builder
}

// record runs r on the harness, apart from t's own success.
func record(t *testing.T, r row, h Harness) *recorder {
	rec := &recorder{TB: t}
	done := make(chan struct{})
	go func() { // Fatal and Skip end their goroutine
		defer close(done)
		r.run(rec, h)
	}()
	<-done
	return rec
}

func (r *recorder) note(failed, skipped bool, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = r.failed || failed
	r.skipped = r.skipped || skipped
	fmt.Fprintln(&r.said, text)
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) Logf(format string, args ...any) {
	r.note(false, false, fmt.Sprintf(format, args...))
}

func (r *recorder) Errorf(format string, args ...any) {
	r.note(true, false, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatal(args ...any) {
	r.note(true, false, fmt.Sprint(args...))
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.note(true, false, fmt.Sprintf(format, args...))
	runtime.Goexit()
}

func (r *recorder) Skip(args ...any) {
	r.note(false, true, fmt.Sprint(args...))
	runtime.Goexit()
}

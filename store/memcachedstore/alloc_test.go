//go:build !race

package memcachedstore

import (
	"bytes"
	"context"
	"net"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// One allocation for a get, its value, and none for a put. The race detector
// makes pools forget, so this is not built with it.
func TestCallsDoNotAllocate(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties pools
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		answerWithoutAllocating(t, listener)
	}()
	s := newStore(t, listener.Addr().String(), nil)
	for name, ctx := range map[string]func() (context.Context, context.CancelFunc){
		"with a deadline":    func() (context.Context, context.CancelFunc) { return context.WithTimeout(t.Context(), time.Hour) },
		"without a deadline": func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) },
	} {
		ctx, cancel := ctx()
		get := func() {
			if _, err := s.Get(ctx, "k", store.Whole); err != nil {
				t.Error(err)
			}
		}
		if got := testing.AllocsPerRun(1000, get); got > 1 {
			t.Errorf("get %s: %v allocations, want 1", name, got)
		}
		item := benchmarkItem()
		put := func() {
			if _, err := s.Put(ctx, "k", item, store.Any); err != nil {
				t.Error(err)
			}
		}
		if got := testing.AllocsPerRun(1000, put); got > 0 {
			t.Errorf("put %s: %v allocations, want none", name, got)
		}
		const ofGoroutines = 4 * companions
		if got := testing.AllocsPerRun(5, func() { inCompany(get) }); got > companions*callsEach+ofGoroutines {
			t.Errorf("gets in company %s: %v allocations, want one for each of %d", name, got, companions*callsEach)
		}
		if got := testing.AllocsPerRun(5, func() { inCompany(put) }); got > ofGoroutines {
			t.Errorf("puts in company %s: %v allocations for %d, want none", name, got, companions*callsEach)
		}
		cancel()
	}
	s.Close()
	listener.Close()
	<-ended
}

// inCompany runs call many times, by several goroutines at once.
func inCompany(call func()) {
	var wg sync.WaitGroup
	for range companions {
		wg.Go(func() {
			for range callsEach {
				call()
			}
		})
	}
	wg.Wait()
}

const companions, callsEach = 16, 100

// answerWithoutAllocating plays a server on one connection, since allocations
// are counted for the whole process.
func answerWithoutAllocating(t *testing.T, listener net.Listener) {
	c, err := listener.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	in, out := make([]byte, 64<<10), make([]byte, 0, 64<<10)
	value := bytes.Repeat([]byte("v"), 1024)
	for end := 0; ; {
		n, err := c.Read(in[end:])
		if err != nil {
			return
		}
		end += n
		rest := in[:end]
		for out = out[:0]; ; {
			line, behind, ok := bytes.Cut(rest, []byte("\r\n"))
			put := bytes.HasPrefix(line, []byte("ms"))
			if !ok || put && len(behind) < len(value)+2 {
				break
			}
			if rest = behind; put {
				rest = behind[len(value)+2:]
			}
			out = appendReply(out, line, value)
		}
		end = copy(in, rest)
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

func appendReply(out, line, value []byte) []byte {
	switch {
	case bytes.HasPrefix(line, []byte("mg holdfast")):
		return append(out, "EN O1\r\n"...)
	case bytes.HasPrefix(line, []byte("stats")):
		return append(out, "END\r\n"...)
	}
	opaque := line[bytes.LastIndexByte(line, 'O'):]
	if bytes.HasPrefix(line, []byte("ms")) {
		return append(append(append(out, "HD c1 "...), opaque...), "\r\n"...)
	}
	out = append(append(append(out, "VA 1024 c1 f0 t-1 "...), opaque...), "\r\n"...)
	return append(append(out, value...), "\r\n"...)
}

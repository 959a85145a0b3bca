//go:build !race

package memcachedstore

import (
	"bytes"
	"context"
	"net"
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
		cancel()
	}
	s.Close()
	listener.Close()
	<-ended
}

// answerWithoutAllocating plays a server on one connection, since allocations
// are counted for the whole process. It expects one command at a time.
func answerWithoutAllocating(t *testing.T, listener net.Listener) {
	c, err := listener.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	in, out := make([]byte, 64<<10), make([]byte, 0, 64<<10)
	value := bytes.Repeat([]byte("v"), 1024)
	for {
		n, err := c.Read(in)
		if err != nil {
			return
		}
		line, _, _ := bytes.Cut(in[:n], []byte("\r\n"))
		opaque := line[bytes.LastIndexByte(line, 'O'):]
		switch {
		case bytes.HasPrefix(line, []byte("mg holdfast")):
			out = append(out[:0], "EN O1\r\nEND\r\n"...)
		case bytes.HasPrefix(line, []byte("mg")):
			out = append(append(append(out[:0], "VA 1024 c1 f0 t-1 "...), opaque...), "\r\n"...)
			out = append(append(out, value...), "\r\n"...)
		default:
			out = append(append(append(out[:0], "HD c1 "...), opaque...), "\r\n"...)
		}
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

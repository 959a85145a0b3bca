//go:build linux

// The delay command forwards TCP connections and adds latency to both ways, for
// benchmarks: a process of its own, so that its work is not counted as theirs.
//
//	delay 127.0.0.1:22122 127.0.0.1:11211 250us
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: delay <listen address> <server address> <latency each way>")
		os.Exit(2)
	}
	log.Fatal(forward(os.Args[1], os.Args[2], os.Args[3]))
}

func forward(listen, server, latency string) error {
	each, err := time.ParseDuration(latency)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	there, back := newWay(each), newWay(each)
	for {
		near, err := listener.Accept()
		if err != nil {
			return err
		}
		far, err := net.Dial("tcp", server)
		if err != nil {
			return err
		}
		go there.carry(near, far)
		go back.carry(far, near)
	}
}

// A way carries the bytes of all connections in one direction. All are delayed
// alike, so that they arrive in the order in which they came.
type way struct {
	latency  time.Duration
	underway chan parcel
}

// A parcel is what one read gave. No bytes: the connection ends.
type parcel struct {
	due  time.Time
	to   io.WriteCloser
	data []byte
}

func newWay(latency time.Duration) *way {
	w := &way{latency: latency, underway: make(chan parcel, 1<<16)}
	go w.deliver()
	return w
}

func (w *way) carry(from io.Reader, to io.WriteCloser) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			n = 0
		}
		w.underway <- parcel{time.Now().Add(w.latency), to, bytes.Clone(buf[:n])}
		if n == 0 {
			return
		}
	}
}

func (w *way) deliver() {
	for p := range w.underway {
		sleepUntil(p.due)
		if len(p.data) == 0 {
			_ = p.to.Close()
			continue
		}
		_, _ = p.to.Write(p.data) // who has gone needs nothing
	}
}

// sleepUntil asks the kernel: the timers of an idle Go program are a
// millisecond coarse.
func sleepUntil(due time.Time) {
	if left := time.Until(due); left > 0 {
		span := syscall.NsecToTimespec(left.Nanoseconds())
		_ = syscall.Nanosleep(&span, nil) // too short by a signal is no harm
	}
}

package main

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"
)

// TestASlowLineHoldsAnswersBack: one after the other each its time, together once.
func TestASlowLineHoldsAnswersBack(t *testing.T) {
	const hold = 50 * time.Millisecond
	line, err := openSlowLine(t.Context(), echo(t), hold)
	if err != nil {
		t.Fatal(err)
	}
	defer line.close()
	conn, err := net.Dial("tcp", line.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	start := time.Now()
	for i := range 3 {
		fmt.Fprintf(conn, "%d\n", i)
		if got, err := in.ReadString('\n'); got != fmt.Sprintf("%d\n", i) {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	if took := time.Since(start); took < 3*hold {
		t.Errorf("three answers after %v, want %v at least", took, 3*hold)
	}
}

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = forward(conn, func(b []byte) error {
					_, err := conn.Write(b)
					return err
				})
			}()
		}
	}()
	return listener.Addr().String()
}

package main

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"
)

func TestUsageOfANode(t *testing.T) {
	got := usageOf(map[string]string{
		"rusage_user": "1.250000", "rusage_system": "0.000004", "version": "1.6.18",
		"cmd_get": "1", "cmd_set": "20", "cmd_touch": "300", "delete_hits": "4000", "delete_misses": "50000", "cmd_flush": "7",
		"bytes": "123", "evictions": "5",
	})
	want := nodeUsage{CPU: 1250004 * time.Microsecond, Commands: 54321, Bytes: 123, Evictions: 5, version: "1.6.18"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

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
